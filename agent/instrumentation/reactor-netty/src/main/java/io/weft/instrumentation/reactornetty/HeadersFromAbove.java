package io.weft.instrumentation.reactornetty;

import io.weft.instrumentation.Attached;
import io.weft.instrumentation.EarlyHeaders;
import io.weft.instrumentation.NextHeaders;
import java.util.List;
import reactor.util.context.ContextView;

/** What a library above knows of a request's headers, at each of its hops. Thread-safe. */
final class HeadersFromAbove {
    static final EarlyHeaders NONE = name -> List.of();

    private final Internals internals;
    private final Attached<EarlyHeaders> ofCallbacks = new Attached<>();

    HeadersFromAbove(Internals internals) {
        this.internals = internals;
    }

    /** Somebody above is about to send a request by that callback. */
    void toBeSentBy(Object callback) {
        EarlyHeaders headers = NextHeaders.take(callback);
        if (headers != null) {
            ofCallbacks.put(callback, headers);
        }
    }

    /**
     * @param handler the library's own for the request
     * @param context of who asks for the response
     */
    EarlyHeaders of(Object handler, ContextView context) throws Throwable {
        EarlyHeaders ofContext = context.getOrDefault(EarlyHeaders.KEY, null);
        if (ofContext != null) {
            return ofContext;
        }
        Object callback = internals.callback(handler);
        EarlyHeaders ofCallback = callback == null ? null : ofCallbacks.of(callback);
        return ofCallback == null ? NONE : ofCallback;
    }
}
