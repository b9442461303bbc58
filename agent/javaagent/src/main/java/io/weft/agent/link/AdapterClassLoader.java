package io.weft.agent.link;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Relocation;
import java.io.IOException;
import java.io.InputStream;

/**
 * Where both worlds meet, once per library module and app loader:
 * <ol>
 *   <li>the adapter's own package: defined here, for the copy of the library that the module is for;
 *   <li>{@code io.weft}: the agent's loader (the instrumentation API, the data plane's contracts);
 *   <li>everything else: the app loader.
 * </ol>
 */
final class AdapterClassLoader extends ClassLoader {
    static {
        registerAsParallelCapable();
    }

    private final ClassLoader agent;
    /** Ends with a dot. */
    private final String adapterPackage;
    private final Relocation relocation;

    AdapterClassLoader(InstrumentationModule module, ClassLoader app, ClassLoader agent) {
        super("weft-" + module.name(), app == null ? ClassLoader.getPlatformClassLoader() : app);
        this.agent = agent;
        adapterPackage = module.adapters().get(0).substring(0, module.adapters().get(0).lastIndexOf('.') + 1);
        relocation = module.relocation();
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith("io.weft.")) {
            return super.loadClass(name, resolve);
        }
        if (name.startsWith(adapterPackage) && name.indexOf('.', adapterPackage.length()) < 0) {
            return own(name);
        }
        try {
            return agent.loadClass(name);
        } catch (ClassNotFoundException notOurs) {
            return super.loadClass(name, resolve);
        }
    }

    private Class<?> own(String name) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            try (InputStream in = agent.getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] classFile = RelocatedClassFile.of(in.readAllBytes(), relocation);
                return defineClass(name, classFile, 0, classFile.length);
            } catch (IOException unreadable) {
                throw new ClassNotFoundException(name, unreadable);
            }
        }
    }
}
