package io.weft.instrumentation.jetty;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.Callback;

/** In front of the app's handlers: what becomes of a request before the app sees it. */
final class Admission {
    private static final int NOT_FOUND = 404;

    private final AdapterContext context;
    private final ConnectorPorts ports;
    private final Connections connections;
    private final Http2Sessions http2;

    Admission(AdapterContext context, ConnectorPorts ports, Connections connections, Http2Sessions http2) {
        this.context = context;
        this.ports = ports;
        this.connections = connections;
        this.http2 = http2;
    }

    /** In the place of {@code Server.handle}. */
    Object handle(Server server, Request request, Response response, Callback callback) {
        if (request instanceof AdmittedRequest) {
            return Handler.PROCEED;
        }
        Request own = Request.unWrap(request);
        ConnectionMetaData connection = own.getConnectionMetaData();
        Inbound.Port port = ports.of(connection.getConnector());
        if (port == null) {
            return Handler.PROCEED;
        }
        IncomingRequest incoming = new IncomingRequest(connections, own);
        try {
            port.enter(incoming);
            WatchedStream stream = watch(own, new WatchedStream.Watch(incoming, response, http2));
            return incoming.claimed() ? new Held(server, request, response, callback, incoming, stream).decide() : Handler.PROCEED;
        } catch (Throwable fault) {
            // Without the agent's word the app would be called: what was refused must not reach it.
            incoming.end();
            context.warn("jetty: a request that cannot be decided does not reach the app: " + fault);
            return new Handler.Thrown(new IOException("the request cannot be decided", fault));
        }
    }

    private static WatchedStream watch(Request request, WatchedStream.Watch watch) {
        WatchedStream[] made = new WatchedStream[1];
        request.addHttpStreamWrapper(stream -> made[0] = new WatchedStream(stream, watch));
        return made[0];
    }

    /** A request that is not the app's yet. */
    private record Held(
            Server server, Request request, Response response, Callback callback, IncomingRequest incoming, WatchedStream stream) {

        /** @return what {@code Server.handle} is to return, or that it is to go on */
        Object decide() throws Exception {
            switch (incoming.next()) {
                case WAIT -> incoming.afterDelay(this::resume);
                case REPLY -> send(incoming.reply());
                case CLOSE -> close();
                case PROCEED -> {
                    RequestChanges changes = incoming.requestChanges();
                    handOver();
                    return changes == RequestChanges.NONE
                            ? Handler.PROCEED
                            : server.handle(new AdmittedRequest(request, changes), response, callback);
                }
            }
            return true;
        }

        private void handOver() {
            stream.handOver(request.getLength() < 0);
            incoming.handOver();
        }

        /** On a thread of the server's, as any handler of Jetty's may go on with a request. */
        private void resume() {
            try {
                server.getThreadPool().execute(this::goOn);
            } catch (RejectedExecutionException stopping) {
                callback.failed(stopping);
            }
        }

        private void goOn() {
            try {
                Object handled = decide();
                if (handled == Handler.PROCEED) {
                    handled = server.handle(new AdmittedRequest(request, RequestChanges.NONE), response, callback);
                }
                if (!(boolean) handled) {
                    Response.writeError(request, response, callback, NOT_FOUND);
                }
            } catch (Throwable failed) {
                // As Jetty ends a request whose handler throws.
                callback.failed(failed);
            }
        }

        private void send(LocalReply reply) {
            response.setStatus(reply.status());
            for (Map.Entry<String, String> header : reply.headers()) {
                response.getHeaders().add(header.getKey(), header.getValue());
            }
            response.write(true, ByteBuffer.wrap(reply.body()), callback);
        }

        private void close() {
            request.getConnectionMetaData().getConnection().getEndPoint().close();
            callback.failed(new EofException("the mesh's policy closes the connection"));
        }
    }
}
