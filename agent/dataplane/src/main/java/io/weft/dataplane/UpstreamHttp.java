package io.weft.dataplane;

import java.util.function.Consumer;

/** The agent's own requests to endpoints, secured as those of the app are. Never blocks. Thread-safe. */
@FunctionalInterface
public interface UpstreamHttp {
    /**
     * @param path and query
     * @param timeoutNanos from now to the last byte of the response
     * @param onBody told the body of a 200 response, or null after anything else, once, on any thread, within the timeout
     */
    void get(Endpoint endpoint, String authority, String path, long timeoutNanos, Consumer<String> onBody);

    /** Fails until there is somebody to make the requests. */
    final class Relay implements UpstreamHttp {
        private volatile UpstreamHttp maker;

        void to(UpstreamHttp maker) {
            this.maker = maker;
        }

        @Override
        public void get(Endpoint endpoint, String authority, String path, long timeoutNanos, Consumer<String> onBody) {
            UpstreamHttp making = maker;
            if (making == null) {
                onBody.accept(null);
            } else {
                making.get(endpoint, authority, path, timeoutNanos, onBody);
            }
        }
    }
}
