package io.weft.instrumentation.reactornetty;

import io.weft.instrumentation.Attached;
import io.weft.instrumentation.EarlyHeaders;
import java.util.List;
import reactor.util.context.ContextView;

/** What a library above knows of a request's headers, at each of its hops. Thread-safe. */
final class HeadersFromAbove {
    static final EarlyHeaders NONE = name -> List.of();

    private final Internals internals;

    /** By the library's handler of a request; the hops after the first come on threads of its own. */
    private final Attached<EarlyHeaders> ofThreads = new Attached<>();

    HeadersFromAbove(Internals internals) {
        this.internals = internals;
    }

    /** @param context of who asks for the response */
    EarlyHeaders of(Object handler, ContextView context) throws Throwable {
        EarlyHeaders ofContext = context.getOrDefault(EarlyHeaders.KEY, null);
        if (ofContext != null) {
            return ofContext;
        }
        EarlyHeaders ofThread = EarlyHeaders.OF_THREAD.get();
        if (ofThread == null) {
            EarlyHeaders known = ofThreads.of(handler);
            return known == null ? NONE : known;
        }
        if (internals.callback(handler) == null) {
            // It has no headers to come: another one, on which that of the thread waits.
            return NONE;
        }
        ofThreads.put(handler, ofThread);
        return ofThread;
    }
}
