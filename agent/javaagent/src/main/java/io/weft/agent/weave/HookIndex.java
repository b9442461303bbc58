package io.weft.agent.weave;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which hooks are in a class, by its internal name. Every class that the JVM loads is looked up here; a copy of a library under another name
 * is indexed when its first class is. Thread-safe, without a lock.
 */
public final class HookIndex {

    /** The hooks of one module in one class, in the module's order. */
    public record ClassHooks(InstrumentationModule module, List<Hook> hooks) {}

    private final Map<String, List<ClassHooks>> byClass = new HashMap<>();
    /** Those of which there may be copies. */
    private final List<InstrumentationModule> relocatable = new ArrayList<>(1);
    /** By where they are. */
    private final Map<String, HookIndex> copies = new ConcurrentHashMap<>(4);

    public HookIndex(List<InstrumentationModule> modules) {
        for (InstrumentationModule module : modules) {
            if (module.relocation().isNone() && !module.relocation().root().isEmpty()) {
                relocatable.add(module);
            }
            Map<String, List<Hook>> hooks = new HashMap<>();
            for (Hook hook : module.hooks()) {
                String name = hook.className().replace('.', '/');
                List<Hook> inClass = hooks.get(name);
                if (inClass == null) {
                    hooks.put(name, inClass = new ArrayList<>(2));
                }
                inClass.add(hook);
            }
            for (Map.Entry<String, List<Hook>> entry : hooks.entrySet()) {
                List<ClassHooks> all = byClass.get(entry.getKey());
                if (all == null) {
                    byClass.put(entry.getKey(), all = new ArrayList<>(1));
                }
                all.add(new ClassHooks(module, entry.getValue()));
            }
        }
    }

    /** @return null for nearly every class */
    public List<ClassHooks> in(String internalName) {
        List<ClassHooks> hooks = byClass.get(internalName);
        return hooks != null || relocatable.isEmpty() ? hooks : inCopy(internalName);
    }

    private List<ClassHooks> inCopy(String internalName) {
        for (int i = 0; i < relocatable.size(); i++) {
            InstrumentationModule module = relocatable.get(i);
            String root = module.relocation().root().replace('.', '/');
            int start = internalName.indexOf(root);
            // Nearly no class gets past here.
            if (start > 0 && internalName.charAt(start - 1) == '/' && byClass.containsKey(internalName.substring(start))) {
                String prefix = internalName.substring(0, start).replace('/', '.');
                HookIndex copy = copies.get(prefix);
                if (copy == null) {
                    copy = new HookIndex(copiesAt(prefix, root));
                    copies.put(prefix, copy);
                }
                return copy.byClass.get(internalName);
            }
        }
        return null;
    }

    private List<InstrumentationModule> copiesAt(String prefix, String root) {
        List<InstrumentationModule> there = new ArrayList<>(relocatable.size());
        for (int i = 0; i < relocatable.size(); i++) {
            InstrumentationModule module = relocatable.get(i);
            if (module.relocation().root().replace('.', '/').equals(root)) {
                there.add(module.at(prefix));
            }
        }
        return there;
    }
}
