package io.weft.instrumentation;

import java.lang.ref.SoftReference;

/** From a library to the one below, on a thread that calls the one and then the other. */
public final class NextHeaders {
    /**
     * An entry is never removed, as each request would pay for one anew. Softly: where the library below is not woven nobody takes it, and
     * an app that is gone must not stay for it.
     */
    private static final ThreadLocal<SoftReference<Given>> NEXT = new ThreadLocal<>();

    private record Given(Class<?> by, EarlyHeaders headers) {}

    private NextHeaders() {}

    /** @param by whose code gives the library below a lambda next, to be called when there is a connection */
    public static void give(Class<?> by, EarlyHeaders headers) {
        NEXT.set(new SoftReference<>(new Given(by, headers)));
    }

    /**
     * At most once.
     *
     * @param callback that the library below was given on this thread
     * @return null: nobody knows its headers
     */
    public static EarlyHeaders take(Object callback) {
        SoftReference<Given> next = NEXT.get();
        if (next == null) {
            return null;
        }
        NEXT.set(null);
        Given given = next.get();
        return given != null && callback.getClass().getNestHost() == given.by ? given.headers : null;
    }
}
