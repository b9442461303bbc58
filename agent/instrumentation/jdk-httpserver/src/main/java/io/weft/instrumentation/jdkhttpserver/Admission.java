package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;

/** In front of the app's filters and handler: what becomes of a request before the app sees it. */
final class Admission {
    private static final LocalReply TOO_LARGE = LocalReply.of(413, "Payload Too Large");

    private final AdapterContext context;
    private final Internals internals;

    Admission(AdapterContext context, Internals internals) {
        this.context = context;
        this.internals = internals;
    }

    /**
     * In the place of {@code Filter.Chain.doFilter}, the first time.
     *
     * @param exchange the server's own, {@code http} the app's view of it
     * @param inFlight whether the request still is
     */
    Object doFilter(
            Filter.Chain chain, Object exchange, HttpExchange http, IncomingRequest incoming, BooleanSupplier inFlight) {
        try {
            switch (incoming.next()) {
                case WAIT -> {
                    incoming.holdUp();
                    Executor executor = internals.executor(internals.server(exchange));
                    incoming.afterDelay(() -> resume(executor, chain, exchange, http, inFlight));
                }
                case REPLY -> send(http, incoming.reply());
                case CLOSE -> internals.closeConnection(exchange);
                case PROCEED -> {
                    handOver(exchange, http, incoming);
                    return Handler.PROCEED;
                }
            }
            return null;
        } catch (Throwable fault) {
            // Without the agent's word the app would be called: what was refused must not reach it because the caller is gone.
            return new Handler.Thrown(fault instanceof IOException ? fault : new IOException("the request cannot be decided", fault));
        }
    }

    private void handOver(Object exchange, HttpExchange http, IncomingRequest incoming) throws Throwable {
        RequestChanges changes = incoming.requestChanges();
        if (changes != RequestChanges.NONE) {
            if (changes.path() != null) {
                context.warn("the path that a route rewrites is left as it came: the server has chosen the handler by then");
            }
            internals.changeRequestHeaders(exchange, headers -> {
                new HeaderView(headers).change(changes);
                if (changes.authority() != null) {
                    headers.set("host", changes.authority());
                }
            });
        }
        if (incoming.maxRequestBytes() > 0 && incoming.header("content-length") == null) {
            http.setStreams(
                    new LimitedBody(http.getRequestBody(), incoming.maxRequestBytes(), () -> tooLarge(http, incoming)), null);
        }
        if (incoming.responseBytesPerSecond() > 0) {
            http.setStreams(null, new PacedBody(http.getResponseBody(), incoming.responseBytesPerSecond()));
        }
        incoming.handOver();
    }

    private static void tooLarge(HttpExchange http, IncomingRequest incoming) throws IOException {
        if (incoming.isAnsweredByApp()) {
            send(http, TOO_LARGE);
        }
    }

    /**
     * Hands a request on that was held up. The server's executor runs it as it would have, and one that refuses it ends it as it would have;
     * where that is the dispatcher's own thread, a thread of the agent's does, since nothing else may keep the dispatcher busy and no
     * request can be given back to it.
     */
    private void resume(
            Executor executor, Filter.Chain chain, Object exchange, HttpExchange http, BooleanSupplier inFlight) {
        Runnable goesOn = () -> {
            if (!inFlight.getAsBoolean()) {
                // The connection was closed meanwhile, and with it went what is known of the request.
                internals.closeConnection(exchange);
                return;
            }
            try {
                chain.doFilter(http);
            } catch (Exception e) {
                // As the server ends a request whose handler throws.
                internals.closeConnection(exchange);
            }
        };
        if (internals.isDispatcher(executor)) {
            Resumed.REQUESTS.execute(goesOn);
            return;
        }
        Resumed.HAND_OVERS.execute(() -> {
            try {
                executor.execute(goesOn);
            } catch (RuntimeException refused) {
                internals.closeConnection(exchange);
            }
        });
    }

    private static void send(HttpExchange http, LocalReply reply) throws IOException {
        for (Map.Entry<String, String> header : reply.headers()) {
            if (!header.getKey().equals("content-length")) {
                http.getResponseHeaders().add(header.getKey(), header.getValue());
            }
        }
        boolean bodiless = reply.body().length == 0 || http.getRequestMethod().equals("HEAD") || reply.status() == 304;
        http.sendResponseHeaders(reply.status(), bodiless ? -1 : reply.body().length);
        if (!bodiless) {
            try (OutputStream body = http.getResponseBody()) {
                body.write(reply.body());
            }
        }
        http.close();
    }
}
