package io.weft.agent.link;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/** An app loader as a key: by identity, because loaders may define equality as they like, and weakly. */
final class LoaderRef extends WeakReference<ClassLoader> {
    private final boolean boot;
    private final boolean lasting;
    private final int hash;

    /** @param loader null for the boot loader */
    LoaderRef(ClassLoader loader, ReferenceQueue<ClassLoader> collected) {
        super(loader, collected);
        boot = loader == null;
        lasting = isJdk(loader) || loader == ClassLoader.getSystemClassLoader();
        hash = System.identityHashCode(loader);
    }

    /** A loader of the JVM's own, which is there as long as the JVM. */
    boolean isLasting() {
        return lasting;
    }

    /** The boot loader and the platform loader, whose classes come with the JDK. */
    static boolean isJdk(ClassLoader loader) {
        return loader == null || loader == ClassLoader.getPlatformClassLoader();
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        if (this == other) {
            return true;
        }
        if (!(other instanceof LoaderRef that) || boot != that.boot) {
            return false;
        }
        ClassLoader mine = get();
        return boot || mine != null && mine == that.get();
    }
}
