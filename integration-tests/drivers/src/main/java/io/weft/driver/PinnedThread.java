package io.weft.driver;

import java.util.concurrent.TimeUnit;

/** A virtual thread that waits where no JDK lets it go from its carrier: while a class is initialized. Runs on JDK 21 and later, and ends. */
public final class PinnedThread {
    private PinnedThread() {}

    /** Compiled for JDKs that have no such threads. */
    public static void main(String[] args) throws Exception {
        Runnable wait = Slow::touch;
        Thread thread = (Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, wait);
        thread.join();
    }

    private static final class Slow {
        static {
            try {
                TimeUnit.MILLISECONDS.sleep(50);
            } catch (InterruptedException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        static void touch() {}
    }
}
