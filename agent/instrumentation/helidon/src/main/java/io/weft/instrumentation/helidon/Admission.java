package io.weft.instrumentation.helidon;

import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http.Filters;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.helidon.webserver.spi.ServerConnection;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;

/** In front of the app's filters and routing: what becomes of a request before the app sees it. */
final class Admission {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext library;

    private final AdapterContext context;
    private final ListenerPorts ports;
    private final Accepting accepting;
    private final Http2Requests http2;

    /** A request that is decided, on its way to what would have had it without the mesh. */
    private record Admitted(Callable<Void> routing) implements Callable<Void> {
        @Override
        public Void call() throws Exception {
            return routing.call();
        }
    }

    Admission(AdapterContext context, ListenerPorts ports, Accepting accepting, Http2Requests http2) throws ReflectiveOperationException {
        this.context = context;
        this.ports = ports;
        this.accepting = accepting;
        this.http2 = http2;
        library = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** In the place of {@code Filters.filter}. */
    Object filter(Filters filters, ConnectionContext connection, RoutingRequest request, RoutingResponse response, Callable<Void> routing) {
        if (routing instanceof Admitted) {
            return Handler.PROCEED;
        }
        try {
            IncomingRequest incoming = IncomingRequest.of(connection, request, accepting.of(connection));
            if (incoming == null) {
                return Handler.PROCEED;
            }
            ports.of(connection, incoming.connection().localPort(), incoming.hasOwnTls()).enter(incoming);
            try {
                watch(incoming, response);
                if (!incoming.claimed() || decide(incoming, response)) {
                    filters.filter(connection, request, response, new Admitted(routing));
                }
                return null;
            } finally {
                http2.end(response);
                incoming.end();
                if (incoming.isLast()) {
                    endAfterThis(connection);
                }
            }
        } catch (Throwable thrown) {
            // The app's and Helidon's own, as they are; and of the agent's, too, since without its word the app would be called.
            return new Handler.Thrown(thrown);
        }
    }

    private void watch(IncomingRequest incoming, RoutingResponse response) throws Throwable {
        if (!Members.HTTP1_RESPONSE.isInstance(response)) {
            http2.begin(incoming, response);
        } else if ((Http1ConnectionListener) Members.LISTENER_OF_RESPONSE.invokeExact((Object) response) instanceof WatchedResponse watched) {
            watched.of(incoming);
        } else {
            throw new IllegalStateException("the response cannot be looked at");
        }
    }

    /** @return false: the app does not get it */
    private boolean decide(IncomingRequest incoming, RoutingResponse response) throws Throwable {
        while (true) {
            switch (incoming.next()) {
                case WAIT -> {
                    Semaphore over = new Semaphore(0);
                    incoming.afterDelay(over::release);
                    over.acquire();
                }
                case REPLY -> {
                    send(incoming, response);
                    return false;
                }
                case CLOSE -> {
                    if (incoming.isHttp2() && incoming.over() != null) {
                        incoming.over().refuse();
                    }
                    throw new CloseConnectionException("policy does not let it in");
                }
                case PROCEED -> {
                    handOver(incoming, response);
                    return true;
                }
            }
        }
    }

    private static void send(IncomingRequest incoming, RoutingResponse response) {
        LocalReply reply = incoming.reply();
        response.status(Status.create(reply.status()));
        HeaderView headers = new HeaderView(response.headers());
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        if (!incoming.isHttp2() && "close".equalsIgnoreCase(incoming.header("connection"))) {
            incoming.endsConnection();
        }
        if (reply.body().length == 0 || incoming.method().equals("HEAD")) {
            response.send();
        } else {
            response.send(reply.body());
        }
    }

    private void handOver(IncomingRequest incoming, RoutingResponse response) throws Throwable {
        RoutingRequest request = incoming.request();
        RequestChanges changes = incoming.requestChanges();
        if (changes != RequestChanges.NONE) {
            HeaderView headers = new HeaderView(writable(request.headers()));
            headers.change(changes);
            if (changes.authority() != null) {
                headers.set("host", changes.authority());
                if (incoming.isHttp2()) {
                    context.warn("Helidon: over HTTP/2 a request's authority() is what came, whatever a route makes of it; its Host header is changed");
                }
            }
            if (changes.path() != null) {
                HttpPrologue came = request.prologue();
                request.prologue(HttpPrologue.create(
                        came.rawProtocol(), came.protocol(), came.protocolVersion(), came.method(), changes.path(), false));
            }
        }
        if (incoming.maxRequestBytes() > 0 && incoming.header("content-length") == null) {
            request.streamFilter(body -> new LimitedBody(body, incoming.maxRequestBytes()));
        }
        if (incoming.responseBytesPerSecond() > 0) {
            response.streamFilter(body -> new PacedBody(body, incoming.responseBytesPerSecond()));
        }
        incoming.handOver();
    }

    /** What the app sees of a request cannot be changed; what is behind it can. */
    private WritableHeaders<?> writable(Headers headers) throws Throwable {
        Headers behind = headers;
        while (Members.READ_ONLY_HEADERS.isInstance(behind)) {
            behind = (Headers) Members.HEADERS_BEHIND.invokeExact((Object) behind);
        }
        if (behind instanceof WritableHeaders<?> writable) {
            return writable;
        }
        throw new IllegalStateException("the headers of a request cannot be changed: " + behind.getClass());
    }

    /** Of HTTP/1.1. Its response has said so; Helidon itself waits for the caller to close it. */
    private void endAfterThis(ConnectionContext connection) throws Throwable {
        if (Members.CONNECTION_HANDLER.isInstance(connection)) {
            ((ServerConnection) Members.CONNECTION_OF_HANDLER.invokeExact((Object) connection)).close(false);
        }
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final Class<?> READ_ONLY_HEADERS;
        static final MethodHandle HEADERS_BEHIND;
        static final Class<?> HTTP1_RESPONSE;
        static final MethodHandle LISTENER_OF_RESPONSE;
        static final Class<?> CONNECTION_HANDLER;
        static final MethodHandle CONNECTION_OF_HANDLER;

        static {
            AdapterContext context = library;
            try {
                Lookup headers = context.lookup("io.helidon.http.ServerRequestHeadersImpl");
                READ_ONLY_HEADERS = headers.lookupClass();
                HEADERS_BEHIND = Handles.getter(headers, "headers", Headers.class);
                Lookup response = context.lookup("io.helidon.webserver.http1.Http1ServerResponse");
                HTTP1_RESPONSE = response.lookupClass();
                LISTENER_OF_RESPONSE = Handles.getter(response, "sendListener", Http1ConnectionListener.class);
                Lookup handler = context.lookup("io.helidon.webserver.ConnectionHandler");
                CONNECTION_HANDLER = handler.lookupClass();
                CONNECTION_OF_HANDLER = Handles.getter(handler, "connection", ServerConnection.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
