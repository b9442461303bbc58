package io.weft.instrumentation;

import java.lang.ref.Cleaner;

/**
 * Notices what the app lets go of without a word. The thread for it starts with the first object that is to be watched.
 *
 * <p>Costs a lock for each object: for connections, not for requests.
 */
public final class Dropped {
    private static final Cleaner CLEANER = Cleaner.create(Dropped::thread);

    private Dropped() {}

    /**
     * @param action run on the agent's own thread once nothing refers to the object any more, some time after that; must not refer to
     *     it either
     */
    public static void then(Object object, Runnable action) {
        CLEANER.register(object, action);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(null, task, "weft-dropped", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(Dropped.class.getClassLoader());
        return thread;
    }
}
