package io.weft.driver;

import java.net.URI;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.client.Authentication;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.Destination;
import org.eclipse.jetty.client.DuplexConnectionPool;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.io.EndPoint;

/**
 * Jetty's HttpClient from 12 on, with a pool in which the connection that is kept for a request with {@code X-Connection: lost} is idle
 * for too long just when the request has got it, so that the library looks for another one. The library adds {@code X-Signed-For} as an app's own way to authenticate: the host
 * and port that it is told.
 */
public final class JettyClientOfLostConnections {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private JettyClientOfLostConnections() {}

    public static void main(String[] args) throws Exception {
        AtomicBoolean losing = new AtomicBoolean();
        HttpClientTransportOverHTTP transport = new HttpClientTransportOverHTTP();
        transport.setConnectionPoolFactory(destination -> new Losing(destination, losing));
        HttpClient client = new HttpClient(transport);
        client.start();
        ClientDriver.run(call -> {
            URI root = URI.create(call.url()).resolve("/");
            client.getAuthenticationStore().clearAuthenticationResults();
            client.getAuthenticationStore().addAuthenticationResult(new Signed(root));
            boolean loses = call.headers().containsKey("X-Connection");
            losing.set(loses);
            ContentResponse response = client.GET(call.url());
            Map<String, String> seen = Map.of("lost", Boolean.toString(loses && !losing.get()));
            return new HttpAnswer(response.getStatus(), Map.of(), response.getContentAsString(), seen);
        });
    }

    private static final class Losing extends DuplexConnectionPool {
        private final AtomicBoolean losing;

        private Losing(Destination destination, AtomicBoolean losing) {
            super(destination, 8);
            this.losing = losing;
        }

        @Override
        public Connection acquire(boolean create) {
            Connection acquired = super.acquire(create);
            if (acquired instanceof org.eclipse.jetty.io.Connection kept && losing.compareAndSet(true, false)) {
                lose(kept.getEndPoint());
            }
            return acquired;
        }

        private static void lose(EndPoint endPoint) {
            endPoint.setIdleTimeout(1);
            long end = System.nanoTime() + PATIENCE_NANOS;
            while (endPoint.isOpen()) {
                if (System.nanoTime() > end) {
                    throw new IllegalStateException(endPoint + " is kept");
                }
                Thread.onSpinWait();
            }
        }
    }

    private record Signed(URI root) implements Authentication.Result {
        @Override
        public URI getURI() {
            return root;
        }

        @Override
        public void apply(Request request) {
            request.headers(headers -> headers.put("X-Signed-For", request.getHost() + ":" + request.getPort()));
        }
    }
}
