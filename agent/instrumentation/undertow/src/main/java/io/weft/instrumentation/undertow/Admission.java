package io.weft.instrumentation.undertow;

import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.Headers;
import io.undertow.util.Protocols;
import io.undertow.util.StatusCodes;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.xnio.IoUtils;

/** In front of the app's handlers: what becomes of a request before the app sees it, and of the head of its response. */
final class Admission {
    private static final AttachmentKey<IncomingRequest> INCOMING = AttachmentKey.create(IncomingRequest.class);

    private final AdapterContext context;
    private final ListenerPorts ports;
    private final Accepting accepting;
    private final Http2Channels http2;

    Admission(AdapterContext context, ListenerPorts ports, Accepting accepting, Http2Channels http2) {
        this.context = context;
        this.ports = ports;
        this.accepting = accepting;
        this.http2 = http2;
    }

    /** In the place of {@code Connectors.executeRootHandler}, which Undertow also has a request go on by that was dispatched. */
    Object handle(HttpHandler handler, HttpServerExchange exchange) {
        IncomingRequest incoming = exchange.getAttachment(INCOMING);
        if (incoming != null && !incoming.isWaiting()) {
            return Handler.PROCEED;
        }
        try {
            if (incoming == null) {
                incoming = IncomingRequest.of(exchange, accepting);
                if (incoming == null) {
                    return Handler.PROCEED;
                }
                enter(incoming, exchange);
                if (!incoming.claimed()) {
                    return Handler.PROCEED;
                }
            }
            return decide(incoming, handler, exchange);
        } catch (Throwable fault) {
            // Without the agent's word the app would be called: what was refused must not reach it because the caller is gone.
            context.warn("undertow: a request that cannot be decided does not reach the app: " + fault);
            return new Handler.Thrown(new IllegalStateException("the request cannot be decided", fault));
        }
    }

    private void enter(IncomingRequest incoming, HttpServerExchange exchange) {
        // A sidecar may say that a request is for https, since it comes over TLS. The app is to see what it sees over plaintext.
        if (incoming.isSecured() && exchange.getProtocol() == Protocols.HTTP_2_0) {
            exchange.setRequestScheme("http");
        }
        Inbound.Port port = ports.of(exchange.getConnection(), incoming.connection().localPort());
        exchange.putAttachment(INCOMING, incoming);
        port.enter(incoming);
        exchange.addExchangeCompleteListener(incoming);
        exchange.addResponseCommitListener(same -> responseHead(incoming, same));
    }

    private Object decide(IncomingRequest incoming, HttpHandler handler, HttpServerExchange exchange) {
        switch (incoming.decide()) {
            case WAIT -> incoming.afterDelay(() -> resume(incoming, handler, exchange));
            case REPLY -> send(exchange, incoming.reply());
            case CLOSE -> close(incoming, exchange);
            case PROCEED -> {
                handOver(incoming, exchange);
                return Handler.PROCEED;
            }
        }
        return null;
    }

    private void resume(IncomingRequest incoming, HttpHandler handler, HttpServerExchange exchange) {
        try {
            exchange.getIoThread().execute(() -> Connectors.executeRootHandler(handler, exchange));
        } catch (RejectedExecutionException stopping) {
            close(incoming, exchange);
        }
    }

    /** Without an answer. What Undertow calls a connection is one stream where HTTP/2 is spoken, and its end that of neither the connection nor the exchange. */
    private void close(IncomingRequest incoming, HttpServerExchange exchange) {
        if (http2.close(exchange.getConnection())) {
            exchange.endExchange();
        } else {
            IoUtils.safeClose(exchange.getConnection());
        }
        incoming.end();
    }

    private static void handOver(IncomingRequest incoming, HttpServerExchange exchange) {
        if (incoming.requestChanges() != RequestChanges.NONE) {
            incoming.change(incoming.requestChanges());
        }
        if (incoming.maxRequestBytes() > 0 && incoming.header("content-length") == null) {
            exchange.addRequestWrapper((body, same) -> new LimitedSource(body.create(), same, incoming));
        }
        if (incoming.responseBytesPerSecond() > 0) {
            exchange.addResponseWrapper((body, same) -> new PacedSink(body.create(), incoming.responseBytesPerSecond()));
        }
        incoming.handOver();
    }

    private static void send(HttpServerExchange exchange, LocalReply reply) {
        exchange.setStatusCode(reply.status());
        HeaderView headers = new HeaderView(exchange.getResponseHeaders());
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        if (reply.body().length == 0) {
            exchange.endExchange();
        } else {
            exchange.getResponseSender().send(ByteBuffer.wrap(reply.body()));
        }
    }

    private void responseHead(IncomingRequest incoming, HttpServerExchange exchange) {
        if (incoming.isTooLarge()) {
            exchange.setStatusCode(StatusCodes.REQUEST_ENTITY_TOO_LARGE);
        }
        int status = exchange.getStatusCode();
        if (incoming.isAnsweredByApp(status)) {
            HeaderView headers = new HeaderView(exchange.getResponseHeaders());
            incoming.onResponse(status, headers);
            ResponseChanges changes = incoming.responseChanges();
            if (!changes.isEmpty()) {
                headers.changeResponse(changes);
            }
        }
        if (status >= 200 && exchange.getProtocol() == Protocols.HTTP_2_0) {
            if (incoming.goesAway()) {
                http2.lastStreams(exchange.getConnection());
            }
        } else if (status >= 200 && incoming.draining()) {
            exchange.setPersistent(false);
            exchange.getResponseHeaders().put(Headers.CONNECTION, "close");
        }
    }
}
