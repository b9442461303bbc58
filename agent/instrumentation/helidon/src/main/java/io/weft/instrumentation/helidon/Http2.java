package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.HttpPrologue;
import io.helidon.http.WritableHeaders;
import io.helidon.http.http2.Http2ConnectionWriter;
import io.helidon.http.http2.Http2ErrorCode;
import io.helidon.http.http2.Http2Flag;
import io.helidon.http.http2.Http2GoAway;
import io.helidon.http.http2.Http2Headers;
import io.helidon.http.http2.Http2Settings;
import io.helidon.http.http2.Http2StreamState;
import io.helidon.http.http2.Http2StreamWriter;
import io.helidon.http.http2.StreamFlowControl;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.Router;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http2.spi.Http2SubProtocolSelector;
import io.helidon.webserver.http2.spi.SubProtocolResult;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;

/** Streams of HTTP/2. What a stream may carry beside HTTP, as gRPC, is not looked into; where policy says who may call, it is not spoken. */
final class Http2 implements Http2Requests {
    /** Streams that were opened meanwhile are served (RFC 9113, 6.8). */
    private static final int ALL_STREAMS = Integer.MAX_VALUE;

    private final AdapterContext context;
    private final Accepting accepting;
    private final Opaque opaque;
    private final Map<Object, IncomingRequest> byStream = new ConcurrentHashMap<>();
    private final Class<?> responseType;
    private final MethodHandle streamOfResponse;
    private final MethodHandle writerOfConnection;
    private final MethodHandle settingsOfClient;

    Http2(AdapterContext context, Accepting accepting, Opaque opaque) throws ReflectiveOperationException {
        this.context = context;
        this.accepting = accepting;
        this.opaque = opaque;
        Lookup response = context.lookup("io.helidon.webserver.http2.Http2ServerResponse");
        Lookup stream = context.lookup("io.helidon.webserver.http2.Http2ServerStream");
        responseType = response.lookupClass();
        streamOfResponse = response.findGetter(responseType, "stream", stream.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        Lookup connection = context.lookup("io.helidon.webserver.http2.Http2Connection");
        writerOfConnection = connection.findGetter(connection.lookupClass(), "connectionWriter", Http2ConnectionWriter.class)
                .asType(MethodType.methodType(Http2ConnectionWriter.class, Object.class));
        settingsOfClient = connection.findGetter(connection.lookupClass(), "clientSettings", Http2Settings.class)
                .asType(MethodType.methodType(Http2Settings.class, Object.class));
        // What is woven.
        stream.findVirtual(stream.lookupClass(), "writeHeaders", MethodType.methodType(int.class, Http2Headers.class, boolean.class));
        stream.findVirtual(stream.lookupClass(), "writeHeadersWithData",
                MethodType.methodType(int.class, Http2Headers.class, int.class, BufferData.class, boolean.class));
        stream.findVirtual(stream.lookupClass(), "writeData", MethodType.methodType(int.class, BufferData.class, boolean.class));
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case HelidonModule.SUB_PROTOCOLS -> (Handler.Argument) (self, protocols, a0, a1, a2) -> guarded((List<?>) protocols);
            case HelidonModule.HTTP2_OPENED -> (Handler.Result) (connection, same, of, a1, a2) -> {
                opened(connection, (ConnectionContext) of);
                return same;
            };
            case HelidonModule.HTTP2_HEAD -> (Handler.Around) (stream, headers, a1, a2, a3) -> {
                head(byStream.get(stream), (Http2Headers) headers, 0);
                return Handler.PROCEED;
            };
            case HelidonModule.HTTP2_HEAD_WITH_DATA -> (Handler.Around) (stream, headers, length, a2, a3) -> {
                head(byStream.get(stream), (Http2Headers) headers, (int) length);
                return Handler.PROCEED;
            };
            case HelidonModule.HTTP2_DATA -> (Handler.Around) (stream, data, a1, a2, a3) -> {
                IncomingRequest incoming = byStream.get(stream);
                if (incoming != null) {
                    incoming.writes(((BufferData) data).available());
                }
                return Handler.PROCEED;
            };
            default -> null;
        };
    }

    @Override
    public void begin(IncomingRequest incoming, RoutingResponse response) throws Throwable {
        if (!responseType.isInstance(response)) {
            throw new IllegalStateException("a response of an unknown protocol: " + response.getClass());
        }
        byStream.put((Object) streamOfResponse.invokeExact((Object) response), incoming);
    }

    @Override
    public void end(RoutingResponse response) throws Throwable {
        if (responseType.isInstance(response)) {
            byStream.remove((Object) streamOfResponse.invokeExact((Object) response));
        }
    }

    private void opened(Object connection, ConnectionContext of) {
        Accepted accepted = accepting.of(of);
        if (accepted != null) {
            accepted.speaksHttp2(connection);
        }
    }

    private void head(IncomingRequest incoming, Http2Headers head, int length) {
        if (incoming == null) {
            return;
        }
        incoming.writes(length);
        int status = head.status().code();
        if (incoming.isAnsweredByApp(status) && head.httpHeaders() instanceof WritableHeaders<?> writable) {
            HeaderView headers = new HeaderView(writable, true);
            incoming.onResponse(status, headers);
            ResponseChanges changes = incoming.responseChanges();
            if (!changes.isEmpty()) {
                headers.changeResponse(changes);
            }
        }
        if (status >= 200 && incoming.goesAway()) {
            Accepted accepted = incoming.over();
            if (accepted != null) {
                tell(accepted);
            }
        }
    }

    @Override
    public void tell() {
        accepting.all().forEach(this::tell);
    }

    /** More than once does nothing more. */
    private void tell(Accepted accepted) {
        Object connection = accepted.http2();
        if (connection != null && accepted.isToldFirst()) {
            try {
                ((ConnectionContext) accepted.context()).executor().execute(() -> sendGoAway(connection));
            } catch (RejectedExecutionException stopped) {
                return;
            }
        }
    }

    private void sendGoAway(Object connection) {
        try {
            Http2Settings settings = (Http2Settings) settingsOfClient.invokeExact(connection);
            ((Http2ConnectionWriter) writerOfConnection.invokeExact(connection)).write(
                    new Http2GoAway(ALL_STREAMS, Http2ErrorCode.NO_ERROR, "").toFrameData(settings, 0, Http2Flag.NoFlags.create()));
        } catch (Throwable gone) {
            context.warn("Helidon: an HTTP/2 connection that has to go is not told so before it is closed: " + gone);
        }
    }

    private List<?> guarded(List<?> protocols) {
        List<Object> guarded = new ArrayList<>(protocols.size());
        for (Object protocol : protocols) {
            guarded.add(new SubProtocol((Http2SubProtocolSelector) protocol));
        }
        return guarded;
    }

    private final class SubProtocol implements Http2SubProtocolSelector {
        private final Http2SubProtocolSelector protocol;

        SubProtocol(Http2SubProtocolSelector protocol) {
            this.protocol = protocol;
        }

        @Override
        public SubProtocolResult subProtocol(
                ConnectionContext connection, HttpPrologue prologue, Http2Headers headers, Http2StreamWriter writer, int streamId,
                Http2Settings serverSettings, Http2Settings clientSettings, StreamFlowControl flowControl, Http2StreamState state, Router router) {
            SubProtocolResult result = protocol.subProtocol(
                    connection, prologue, headers, writer, streamId, serverSettings, clientSettings, flowControl, state, router);
            if (result.supported()) {
                opaque.check(connection);
            }
            return result;
        }
    }
}
