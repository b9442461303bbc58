package io.weft.policy;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.concurrent.ThreadFactory;

/**
 * Makes daemons that keep nothing alive of whoever happens to start them, such as an app's thread whose app is to be taken out of its
 * server: neither its context class loader, nor its thread group, nor what its threads inherit. Thread-safe.
 */
public final class DaemonThreads implements ThreadFactory {
    /** The JVM's first: all others may be an app's, which may also end its group or interrupt all of it. */
    private static final ThreadGroup GROUP = firstGroup();
    /** Before JDK 24 a thread keeps the protection domains, and with them the class loaders, of all callers of its constructor. */
    private static final boolean KEEPS_CALLERS = Runtime.version().feature() < 24;

    private final String name;
    private final ClassLoader context;

    /** @param name of all of them */
    public DaemonThreads(String name) {
        this(name, DaemonThreads.class.getClassLoader());
    }

    /**
     * @param name of all of them
     * @param context their context class loader
     */
    public DaemonThreads(String name, ClassLoader context) {
        this.name = name;
        this.context = context;
    }

    @Override
    public Thread newThread(Runnable task) {
        return KEEPS_CALLERS ? withoutCallers(task) : make(task);
    }

    @SuppressWarnings("removal")
    private Thread withoutCallers(Runnable task) {
        return AccessController.doPrivileged(new Making(this, task));
    }

    private Thread make(Runnable task) {
        Thread thread = new Thread(GROUP, task, name, 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(context);
        return thread;
    }

    private static ThreadGroup firstGroup() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        return group;
    }

    /** A class and not a lambda: the first lambda of a JVM takes longer than all else here. */
    private record Making(DaemonThreads threads, Runnable task) implements PrivilegedAction<Thread> {
        @Override
        public Thread run() {
            return threads.make(task);
        }
    }
}
