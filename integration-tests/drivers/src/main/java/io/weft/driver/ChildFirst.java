package io.weft.driver;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/**
 * A program in a loader that takes its own classes before its parent's, and finds its parent's resources first, as
 * {@link ClassLoader#getResource} does where nobody overrides it.
 */
public final class ChildFirst extends URLClassLoader {
    static {
        registerAsParallelCapable();
    }

    private ChildFirst(URL[] own) {
        super(own, ChildFirst.class.getClassLoader());
    }

    /** @param args the program's class, which is where this class is, and the jars that are the loader's own */
    public static void main(String[] args) throws Exception {
        URL[] own = new URL[args.length];
        own[0] = ChildFirst.class.getProtectionDomain().getCodeSource().getLocation();
        for (int i = 1; i < args.length; i++) {
            own[i] = Path.of(args[i]).toUri().toURL();
        }
        ClassLoader loader = new ChildFirst(own);
        Thread.currentThread().setContextClassLoader(loader);
        loader.loadClass(args[0]).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            return findResource(name.replace('.', '/') + ".class") == null ? super.loadClass(name, resolve) : findClass(name);
        }
    }
}
