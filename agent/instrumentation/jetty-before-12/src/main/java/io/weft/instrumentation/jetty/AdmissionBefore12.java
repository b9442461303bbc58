package io.weft.instrumentation.jetty;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundExchange.Step;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.HttpChannel;
import org.eclipse.jetty.server.HttpInput;
import org.eclipse.jetty.server.HttpOutput;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;

/**
 * What becomes of a request before the app sees it, and of the head of its response. Decided before Jetty takes the request up: so a request
 * that is held up is with nobody, and no state of Jetty's tells of it. What it gets instead of the app is sent where the app would be called.
 */
final class AdmissionBefore12 {
    private static final int TOO_LARGE = 413;

    private final ConnectorPorts ports;
    private final Connections connections;
    private final Http2Sessions http2;
    private final MessagesBefore12 messages;
    /** By channel, which serves one request after the other; empty between two. */
    private final Attached<AtomicReference<RequestBefore12>> inFlight = new Attached<>();
    /** Requests whose bodies have a limit. */
    private final Attached<RequestBefore12> limited = new Attached<>();

    AdmissionBefore12(ConnectorPorts ports, Connections connections, Http2Sessions http2, MessagesBefore12 messages) {
        this.ports = ports;
        this.connections = connections;
        this.http2 = http2;
        this.messages = messages;
    }

    /** A sidecar may say that a request is for {@code https}, since it comes over TLS. The app is to see what it sees over plaintext. */
    MetaData.Request asOverPlaintext(HttpChannel channel, MetaData.Request head) throws Throwable {
        if (head.getHttpVersion() != HttpVersion.HTTP_2 || head.getClass() != MetaData.Request.class) {
            return head;
        }
        MeshSocketChannel mesh = MeshSocketChannel.of(channel.getEndPoint());
        return mesh != null && mesh.bytes().isSecured() ? messages.asOverPlaintext(head) : head;
    }

    /** In the place of {@code HttpChannel.handle}, which says whether it is done with the request for now. */
    Object handle(HttpChannel channel) {
        if (!channel.getState().isIdle()) {
            return Handler.PROCEED;
        }
        RequestBefore12 incoming = peek(channel);
        if (incoming != null && !incoming.isWaiting()) {
            return Handler.PROCEED;
        }
        if (incoming == null) {
            Inbound.Port port = ports.of(channel.getConnector());
            if (port == null) {
                return Handler.PROCEED;
            }
            incoming = start(channel, port);
            if (!incoming.claimed()) {
                return Handler.PROCEED;
            }
        }
        try {
            switch (incoming.decide()) {
                case WAIT -> {
                    incoming.afterDelay(() -> resume(channel));
                    return false;
                }
                case PROCEED -> handOver(channel, incoming);
                case REPLY, CLOSE -> { }
            }
        } catch (Throwable fault) {
            incoming.failed(fault);
        }
        return Handler.PROCEED;
    }

    private RequestBefore12 start(HttpChannel channel, Inbound.Port port) {
        AtomicReference<RequestBefore12> slot = inFlight.of(channel);
        if (slot == null) {
            slot = new AtomicReference<>();
            inFlight.put(channel, slot);
        }
        RequestBefore12 incoming = new RequestBefore12(connections, channel.getRequest());
        port.enter(incoming);
        slot.set(incoming);
        return incoming;
    }

    private static void resume(HttpChannel channel) {
        try {
            channel.getServer().getThreadPool().execute(channel);
        } catch (RejectedExecutionException stopping) {
            channel.getEndPoint().close();
        }
    }

    private void handOver(HttpChannel channel, RequestBefore12 incoming) throws Throwable {
        Request request = channel.getRequest();
        if (incoming.requestChanges() != RequestChanges.NONE) {
            messages.change(request, incoming.requestChanges());
        }
        incoming.handOver();
        if (incoming.isLimited()) {
            limited.put(request.getHttpInput(), incoming);
        }
        if (incoming.responseBytesPerSecond() > 0) {
            HttpOutput output = request.getResponse().getHttpOutput();
            output.setInterceptor(new PacedOutput(output.getInterceptor(), incoming.responseBytesPerSecond()));
        }
    }

    /** In the place of {@code Server.handle}. */
    Object serve(HttpChannel channel) {
        RequestBefore12 incoming = peek(channel);
        if (incoming == null) {
            return ports.of(channel.getConnector()) == null ? Handler.PROCEED : undecided(null);
        }
        if (incoming.fault() != null) {
            return undecided(incoming.fault());
        }
        try {
            if (incoming.decided() == Step.REPLY) {
                send(channel.getRequest(), incoming.reply());
                return null;
            }
            if (incoming.decided() == Step.CLOSE) {
                channel.getRequest().setHandled(true);
                channel.getEndPoint().close();
                channel.abort(new EofException("the mesh's policy closes the connection"));
                return null;
            }
            return Handler.PROCEED;
        } catch (Throwable fault) {
            return undecided(fault);
        }
    }

    /** Without the agent's word the app would be called: what was refused must not reach it. */
    private static Handler.Thrown undecided(Throwable fault) {
        return new Handler.Thrown(fault instanceof IOException ? fault : new IOException("the request cannot be decided", fault));
    }

    private void send(Request request, LocalReply reply) throws Throwable {
        Response response = request.getResponse();
        request.setHandled(true);
        response.setStatus(reply.status());
        HeadersBefore12 headers = messages.headers(response);
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.add(header.getKey(), header.getValue());
        }
        response.setContentLength(reply.body().length);
        HttpOutput output = response.getHttpOutput();
        output.write(reply.body());
        output.close();
    }

    /**
     * Before {@code HttpChannel.sendResponse}, which makes the head when it sends the first of the body.
     *
     * @param last so all of the body is known
     */
    void send(HttpChannel channel, boolean last) throws Throwable {
        RequestBefore12 incoming = channel.isCommitted() ? null : peek(channel);
        if (incoming == null) {
            return;
        }
        Response response = channel.getResponse();
        if (incoming.isTooLarge()) {
            response.setStatus(TOO_LARGE);
        }
        int status = response.getStatus();
        HeadersBefore12 headers = messages.headers(response);
        if (incoming.isAnsweredByApp(status)) {
            incoming.onResponse(status, headers);
            ResponseChanges changes = incoming.responseChanges();
            if (!changes.isEmpty()) {
                headers.changeResponse(changes);
            }
        }
        HttpVersion version = channel.getRequest().getHttpVersion();
        if (status >= 200 && version == HttpVersion.HTTP_2 && incoming.goesAway()) {
            http2.lastStreams(channel.getEndPoint().getConnection());
        } else if (status >= 200 && version != HttpVersion.HTTP_2 && incoming.draining()) {
            lastOfConnection(version, headers, last);
        }
    }

    private static void lastOfConnection(HttpVersion version, HeadersBefore12 headers, boolean lengthKnown) {
        headers.set("connection", "close");
        if (version == HttpVersion.HTTP_1_1 && !lengthKnown && !headers.contains("content-length")) {
            // Jetty would else have the end of the connection stand for that of the body.
            headers.set("transfer-encoding", "chunked");
        }
    }

    /** After {@code HttpInput.read}. */
    Object bodyRead(HttpInput input, int count) {
        RequestBefore12 incoming = count <= 0 ? null : limited.of(input);
        if (incoming == null || !incoming.isLimited()) {
            return count;
        }
        incoming.bodyRead(count);
        return incoming.isTooLarge()
                ? new Handler.Thrown(new EofException("the request's body is longer than the mesh's policy allows"))
                : count;
    }

    /** The response is complete, or its channel is to serve another request. */
    void over(HttpChannel channel) {
        AtomicReference<RequestBefore12> slot = inFlight.of(channel);
        RequestBefore12 incoming = slot == null ? null : slot.getAndSet(null);
        if (incoming == null) {
            return;
        }
        if (incoming.goesAway() && channel.getRequest().getHttpVersion() == HttpVersion.HTTP_2) {
            http2.lastStreams(channel.getEndPoint().getConnection());
        }
        incoming.over();
        incoming.end();
    }

    private RequestBefore12 peek(HttpChannel channel) {
        AtomicReference<RequestBefore12> slot = inFlight.of(channel);
        return slot == null ? null : slot.get();
    }
}
