package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;

/**
 * One HTTP filter as one route has it, made ready. The same object serves all requests of the route, those that go out as well as
 * those that come in, so it is thread-safe; what it must remember of one request it {@linkplain HttpStream#keep keeps} there.
 * Called on the app's threads: it never blocks, and allocates only where it acts.
 *
 * <p>Phases: the request head, in order of the chain; the response head, also of the mesh's own reply and then also for filters
 * that have not seen the request, in reverse order; the end, once for each filter that has seen the request.
 */
public abstract class HttpFilter {

    /** What becomes of the request. Made by the stream. */
    public enum Decision {
        /** The next filter's turn. */
        CONTINUE,
        /** {@link HttpStream#reply} is the answer. */
        REPLY,
        /** {@link #afterDelay} is called after {@link HttpStream#delay}. */
        DELAY,
        /** No answer: the connection is closed. Only for what stands for a network filter in front of a server. */
        CLOSE
    }

    public Decision onRequest(HttpStream stream) {
        return Decision.CONTINUE;
    }

    /** The filter as a route has it that says this of its requests. */
    HttpFilter with(RouteLimits route) {
        return this;
    }

    public Decision afterDelay(HttpStream stream) {
        return Decision.CONTINUE;
    }

    public void onResponse(HttpStream stream) {}

    /** The response is complete, or the request was given up. */
    public void onEnd(HttpStream stream) {}

    /**
     * What becomes of the request when this filter fails by a fault of the agent. A filter that protects something denies; any other
     * lets it pass as if the filter were not there.
     */
    public Decision onFault(HttpStream stream) {
        return Decision.CONTINUE;
    }
}
