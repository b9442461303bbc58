package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.Handler;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse.BodyHandler;

/** The body comes from the endpoint; the mesh wants to know when it ends. */
final class RemoteBody extends Body {
    private final Internals internals;
    private final Exchange mesh;
    private final BodyEnd end;
    private final HttpHeaders headers;

    /**
     * @param mesh of the attempt
     * @param end of the request
     * @param headers as the app is to see them
     */
    RemoteBody(Internals internals, Exchange mesh, BodyEnd end, HttpHeaders headers) {
        this.internals = internals;
        this.mesh = mesh;
        this.end = end;
        this.headers = headers;
        complete(null);
    }

    @Override
    Object read(Object exchange, BodyHandler<?> handler) throws Throwable {
        internals.bodyIgnored(exchange, null);
        try {
            return internals.readBody(exchange, new WatchedHandler<>(handler, headers, mesh, end)).whenComplete((body, failure) -> {
                if (failure != null) {
                    end.run();
                }
            });
        } catch (Throwable appsFault) {
            // Its handler was asked: it must not be asked once more.
            end.run();
            return new Handler.Thrown(appsFault);
        }
    }

    @Override
    void failed() {
        end.run();
    }

    @Override
    Object ignore(Object exchange) throws Throwable {
        internals.bodyIgnored(exchange, null);
        end.run();
        return internals.ignoreBody(exchange);
    }

    @Override
    Object none(Object exchange) {
        internals.bodyIgnored(exchange, null);
        end.run();
        return Handler.PROCEED;
    }
}
