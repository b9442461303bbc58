package io.weft.instrumentation;

import io.weft.policy.DaemonThreads;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Notices what is let go of without a word. The thread for it starts with the first object that is to be watched.
 *
 * <p>One for each adapter: what is to be done belongs to it and goes with it, as an app's classes do that are taken out of a server. Costs a
 * lock for each object: for connections, not for requests.
 */
public final class Dropped {
    private static final Cleaner CLEANER = Cleaner.create(new DaemonThreads("weft-dropped"));

    /** Nobody else holds them. */
    private final Set<Runnable> actions = ConcurrentHashMap.newKeySet();

    /** All that the cleaner has, which knows no adapter's class. */
    private record Due(WeakReference<Dropped> of, WeakReference<Runnable> action) implements Runnable {
        @Override
        public void run() {
            Dropped owner = of.get();
            Runnable still = action.get();
            if (owner != null && still != null) {
                owner.actions.remove(still);
                still.run();
            }
        }
    }

    /**
     * @param action run on the agent's own thread once nothing refers to the object any more, some time after that; must not refer to
     *     it either. One of its own for each object
     */
    public void then(Object object, Runnable action) {
        actions.add(action);
        CLEANER.register(object, new Due(new WeakReference<>(this), new WeakReference<>(action)));
    }
}
