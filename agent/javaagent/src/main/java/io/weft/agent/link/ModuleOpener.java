package io.weft.agent.link;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.instrument.Instrumentation;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Opens packages of named modules to an adapter, and to the agent that makes look-ups for it. */
public final class ModuleOpener {
    private final Instrumentation instrumentation;

    public ModuleOpener(Instrumentation instrumentation) {
        this.instrumentation = instrumentation;
    }

    /**
     * Opens what the library module declares. When the library itself is a named module of the app, also the packages of the
     * woven classes.
     *
     * @param woven the module of a woven class
     * @throws IllegalArgumentException when this JVM has no such module or package
     */
    void open(InstrumentationModule library, Module woven, Module adapter) {
        for (String open : library.opens()) {
            int slash = open.indexOf('/');
            String name = open.substring(0, slash);
            ModuleLayer layer = woven.getLayer() == null ? ModuleLayer.boot() : woven.getLayer();
            Optional<Module> module = layer.findModule(name);
            if (module.isEmpty()) {
                throw new IllegalArgumentException("this JVM has no module " + name);
            }
            open(module.get(), Set.of(open.substring(slash + 1)), adapter);
        }
        if (woven.isNamed() && !LoaderRef.isJdk(woven.getClassLoader())) {
            Set<String> packages = new HashSet<>();
            for (Hook hook : library.hooks()) {
                String name = hook.className().substring(0, hook.className().lastIndexOf('.'));
                if (woven.getPackages().contains(name)) {
                    packages.add(name);
                }
            }
            open(woven, packages, adapter);
        }
    }

    /** Opens one package to the agent itself, for a look-up, unless it is a package of the JDK: those are declared. */
    void openToAgent(Class<?> library) {
        Module module = library.getModule();
        if (module.isNamed() && !LoaderRef.isJdk(module.getClassLoader())) {
            open(module, Set.of(library.getPackageName()), ModuleOpener.class.getModule());
        }
    }

    private void open(Module module, Set<String> packages, Module adapter) {
        Set<Module> to = new HashSet<>();
        to.add(adapter);
        to.add(ModuleOpener.class.getModule());
        Map<String, Set<Module>> opens = new HashMap<>();
        for (String name : packages) {
            opens.put(name, to);
        }
        instrumentation.redefineModule(module, Set.of(), Map.of(), opens, Set.of(), Map.of());
    }
}
