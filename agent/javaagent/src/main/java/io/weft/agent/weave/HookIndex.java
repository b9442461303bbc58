package io.weft.agent.weave;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which hooks are in a class, by its internal name. Immutable: every class that the JVM loads is looked up here. */
public final class HookIndex {

    /** The hooks of one module in one class, in the module's order. */
    public record ClassHooks(InstrumentationModule module, List<Hook> hooks) {}

    private final Map<String, List<ClassHooks>> byClass = new HashMap<>();

    public HookIndex(List<InstrumentationModule> modules) {
        for (InstrumentationModule module : modules) {
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
        return byClass.get(internalName);
    }

    /** Internal names. */
    public Set<String> classes() {
        return byClass.keySet();
    }
}
