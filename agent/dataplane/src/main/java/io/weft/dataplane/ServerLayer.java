package io.weft.dataplane;

/**
 * One concern of requests that come in. What a layer knows of a request it keeps in the {@link InboundExchange}; itself it is
 * thread-safe. A layer that has nothing to say at one of the points does not override the method.
 */
abstract class ServerLayer {
    /** The end of the stack, where the app is. */
    static final ServerLayer APP = new App();

    final ServerLayer inner;

    ServerLayer(ServerLayer inner) {
        this.inner = inner;
    }

    /** Once for each request, before all else. */
    void enter(InboundExchange exchange) {
        inner.enter(exchange);
    }

    /**
     * May the app see the request? Asked again after a wait.
     *
     * @return false: {@link InboundExchange#reply} is the answer, unless {@link InboundExchange#waiting}
     */
    boolean request(InboundExchange exchange) {
        return inner.request(exchange);
    }

    /** The head of the app's response; {@code inner} hears of it first. */
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        inner.response(exchange, status, headers);
    }

    /** Once for each request that entered; {@code inner} hears of it first. */
    void end(InboundExchange exchange) {
        inner.end(exchange);
    }

    private static final class App extends ServerLayer {
        App() {
            super(null);
        }

        @Override
        void enter(InboundExchange exchange) {}

        @Override
        boolean request(InboundExchange exchange) {
            return true;
        }

        @Override
        void response(InboundExchange exchange, int status, ResponseHeaders headers) {}

        @Override
        void end(InboundExchange exchange) {}
    }
}
