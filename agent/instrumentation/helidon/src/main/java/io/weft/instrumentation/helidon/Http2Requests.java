package io.weft.instrumentation.helidon;

import io.helidon.webserver.http.RoutingResponse;
import io.weft.instrumentation.Handler;

/** What the mesh has to do with HTTP/2, which the app may not have. Thread-safe. */
interface Http2Requests {
    /** A request is about to be decided. Nothing where the response is not of HTTP/2. */
    void begin(IncomingRequest incoming, RoutingResponse response) throws Throwable;

    void end(RoutingResponse response) throws Throwable;

    /** Has whoever is connected use another connection for what comes next. */
    void tell();

    /** @return null: it has none for that */
    Handler handler(String hook);

    /** The app does not speak it. */
    record None() implements Http2Requests {
        @Override
        public void begin(IncomingRequest incoming, RoutingResponse response) {
            throw new IllegalStateException("a response of an unknown protocol: " + response.getClass());
        }

        @Override
        public void end(RoutingResponse response) {}

        @Override
        public void tell() {}

        @Override
        public Handler handler(String hook) {
            return null;
        }
    }
}
