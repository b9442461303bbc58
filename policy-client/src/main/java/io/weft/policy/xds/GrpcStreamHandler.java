package io.weft.policy.xds;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2EventAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.util.concurrent.ScheduledFuture;
import io.weft.policy.xds.GrpcStatus.Code;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A connection with one gRPC call on it: gRPC's "HTTP2 Transport Mapping", the client's half, without compression.
 *
 * <pre>
 * SETTINGS arrive → HEADERS out, opened → DATA out and in … → trailers, reset, GOAWAY, silence or disconnection → closed
 * </pre>
 */
final class GrpcStreamHandler extends Http2ConnectionHandler {
    /** Bytes that the server may have under way to us, for the stream and for the connection. */
    private static final int RECEIVE_WINDOW = 1 << 20;

    private static final int MAX_HEADER_BYTES = 32 * 1024;
    private static final int MAX_STATUS_MESSAGE = 1024;
    private static final int NOT_OPEN = -1;

    /**
     * @param path {@code /package.Service/Method}
     * @param headers beside those that every call has
     */
    record Call(GrpcServer server, String path, Map<String, String> headers) {}

    private final Call call;
    private final TransportLimits limits;
    private final Keepalive keepalive;
    private final GrpcStreamListener listener;
    private final GrpcMessageReader reader;

    private ChannelHandlerContext context;
    private int streamId = NOT_OPEN;
    private boolean responded;
    private boolean over;
    private long unsent;
    private boolean reading;
    private long lastRead;
    private ScheduledFuture<?> probe;

    private GrpcStreamHandler(
            Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings, Builder builder) {
        super(decoder, encoder, settings);
        this.call = builder.call;
        this.limits = builder.limits;
        this.keepalive = builder.keepalive;
        this.listener = builder.listener;
        this.reader = new GrpcMessageReader(limits.maxMessageBytes(), listener::message);
        decoder.frameListener(new Frames());
    }

    static GrpcStreamHandler of(Call call, TransportLimits limits, Keepalive keepalive, GrpcStreamListener listener) {
        return new Builder(call, limits, keepalive, listener).build();
    }

    void send(byte[] message) {
        if (over || streamId == NOT_OPEN) {
            return;
        }
        int bytes = 5 + message.length;
        unsent += bytes;
        if (unsent > limits.maxUnsentBytes()) {
            end(new GrpcStatus(Code.RESOURCE_EXHAUSTED, call.server().role() + " does not read what it is sent"));
            return;
        }
        ByteBuf frame = context.alloc().heapBuffer(bytes).writeByte(0).writeInt(message.length).writeBytes(message);
        encoder().writeData(context, streamId, frame, 0, false, context.newPromise()).addListener(done -> unsent -= bytes);
        // What is said to a message goes out in one piece once that has been dealt with: what it brought is in force sooner.
        if (!reading) {
            flush(context);
        }
    }

    /** Half-closes the stream. */
    void finish() {
        if (!over && streamId != NOT_OPEN) {
            encoder().writeData(context, streamId, Unpooled.EMPTY_BUFFER, 0, true, context.newPromise());
            flush(context);
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        super.handlerAdded(ctx);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object bytes) throws Exception {
        reading = true;
        super.channelRead(ctx, bytes);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        reading = false;
        // Bytes that do not make up a frame yet are a sign of life, too.
        lastRead = System.nanoTime();
        // Flushes.
        super.channelReadComplete(ctx);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        super.channelInactive(ctx);
        end(GrpcStatus.unavailable(reader.insideMessage()
                ? call.server().role() + " closed the connection in the middle of a message"
                : call.server().role() + " closed the connection"
                        + (streamId == NOT_OPEN ? " before it said anything; is this port one for grpcs://?" : "")));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        if (Http2CodecUtil.getEmbeddedHttp2Exception(cause) != null) {
            super.exceptionCaught(ctx, cause);
        } else {
            failed(cause);
        }
    }

    @Override
    protected void onConnectionError(ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception http2) {
        super.onConnectionError(ctx, outbound, cause, http2);
        failed(cause);
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException http2) {
        super.onStreamError(ctx, outbound, cause, http2);
        failed(cause);
    }

    private void failed(Throwable cause) {
        end(GrpcStatus.unavailable(streamId != NOT_OPEN || !(cause instanceof Http2Exception)
                ? "the connection to " + call.server() + " failed: " + (cause.getMessage() == null ? cause.toString() : cause.getMessage())
                : "what answers at " + call.server() + " does not speak gRPC as it is spoken to: is that the control plane's port, and not its page's, and is"
                        + " it grpcs:// if it is served by TLS and grpc:// if not? (" + cause.getMessage() + ")"));
    }

    private final class Frames extends Http2EventAdapter {

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            if (streamId == NOT_OPEN && !over) {
                open();
            }
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx, int id, Http2Headers headers, int padding, boolean endStream) {
            headers(headers, endStream);
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx, int id, Http2Headers headers, int dependency, short weight, boolean exclusive,
                int padding, boolean endStream) {
            headers(headers, endStream);
        }

        // All that is read counts as processed at once, which opens the window again: it is parsed before the next frame.
        @Override
        public int onDataRead(ChannelHandlerContext ctx, int id, ByteBuf data, int padding, boolean endStream) {
            int processed = data.readableBytes() + padding;
            data(data, endStream);
            return processed;
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int id, long errorCode) {
            end(GrpcStatus.ofReset(errorCode));
        }

        @Override
        public void onGoAwayRead(ChannelHandlerContext ctx, int lastStreamId, long errorCode, ByteBuf debugData) {
            goAway(errorCode, debugData.toString(
                    debugData.readerIndex(), Math.min(debugData.readableBytes(), 256), StandardCharsets.UTF_8));
        }
    }

    private void open() throws Http2Exception {
        streamId = connection().local().incrementAndGetNextStreamId();
        Http2Headers headers = new DefaultHttp2Headers()
                .method("POST")
                .scheme(call.server().tls() ? "https" : "http")
                .authority(call.server().authority())
                .path(call.path())
                .add("te", "trailers")
                .add("content-type", "application/grpc")
                .add("user-agent", "weft");
        call.headers().forEach(headers::add);
        encoder().writeHeaders(context, streamId, headers, 0, false, context.newPromise()).addListener(done -> {
            if (!done.isSuccess()) {
                failed(done.cause());
            }
        });
        decoder().flowController().incrementWindowSize(
                connection().connectionStream(), RECEIVE_WINDOW - Http2CodecUtil.DEFAULT_WINDOW_SIZE);
        flush(context);
        lastRead = System.nanoTime();
        scheduleProbe(keepalive.idleNanos());
        listener.opened(context.channel().localAddress());
    }

    private void headers(Http2Headers headers, boolean endStream) {
        if (!responded) {
            responded = true;
            CharSequence http = headers.status();
            if (http == null || !http.toString().equals("200")) {
                end(GrpcStatus.ofHttp(
                        number(http), "HTTP status " + http + " instead of a gRPC response from " + call.server()));
                return;
            }
            CharSequence type = headers.get("content-type");
            if (type == null || !type.toString().startsWith("application/grpc")) {
                end(new GrpcStatus(
                        Code.UNKNOWN, "content type " + type + " instead of application/grpc from " + call.server()));
                return;
            }
        }
        if (endStream) {
            end(trailers(headers));
        }
    }

    private GrpcStatus trailers(Http2Headers trailers) {
        CharSequence code = trailers.get("grpc-status");
        if (code == null) {
            return GrpcStatus.internal("the stream ended without a grpc-status");
        }
        CharSequence message = trailers.get("grpc-message");
        return new GrpcStatus(Code.of(number(code)), message == null ? "" : percentDecoded(message.toString()));
    }

    private void data(ByteBuf data, boolean endStream) {
        if (over) {
            return;
        }
        if (!responded) {
            end(GrpcStatus.internal("DATA came before the response's HEADERS"));
            return;
        }
        try {
            reader.read(data);
        } catch (GrpcFramingException e) {
            end(GrpcStatus.internal(e.getMessage()));
            return;
        }
        if (endStream) {
            end(GrpcStatus.internal(reader.insideMessage()
                    ? "the stream ended in the middle of a message" : "the stream ended without trailers"));
        }
    }

    private void goAway(long errorCode, String text) {
        if (errorCode == Http2Error.ENHANCE_YOUR_CALM.code() && text.equals("too_many_pings")) {
            keepalive.calmDown();
        }
        // A server that winds down gracefully would let the stream live a little longer; nothing is gained by staying.
        end(GrpcStatus.unavailable(call.server().role() + " said GOAWAY, HTTP/2 error code " + errorCode
                + (text.isEmpty() ? "" : ", " + text)));
    }

    private void scheduleProbe(long afterNanos) {
        probe = context.executor().schedule(this::probe, afterNanos, TimeUnit.NANOSECONDS);
    }

    private void probe() {
        long silent = System.nanoTime() - lastRead;
        if (silent < keepalive.idleNanos()) {
            scheduleProbe(keepalive.idleNanos() - silent);
            return;
        }
        long pinged = System.nanoTime();
        encoder().writePing(context, false, pinged, context.newPromise());
        flush(context);
        probe = context.executor().schedule(() -> {
            if (lastRead - pinged > 0) {
                scheduleProbe(keepalive.idleNanos());
            } else {
                end(GrpcStatus.unavailable("no sign of life from " + call.server() + " for "
                        + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastRead) + " ms"));
            }
        }, keepalive.timeoutNanos(), TimeUnit.NANOSECONDS);
    }

    private void end(GrpcStatus status) {
        if (over) {
            return;
        }
        over = true;
        if (probe != null) {
            probe.cancel(false);
        }
        listener.closed(status);
    }

    private static int number(CharSequence digits) {
        int value = -1;
        for (int i = 0; digits != null && digits.length() <= 3 && i < digits.length(); i++) {
            int digit = digits.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            value = Math.max(value, 0) * 10 + digit;
        }
        return value;
    }

    /** {@code grpc-message}: percent-encoded UTF-8; what is not well encoded is taken as it stands. */
    private static String percentDecoded(String encoded) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.min(encoded.length(), MAX_STATUS_MESSAGE));
        for (int i = 0; i < encoded.length() && bytes.hasRemaining(); i++) {
            char c = encoded.charAt(i);
            int high = c == '%' && i + 2 < encoded.length() ? Character.digit(encoded.charAt(i + 1), 16) : -1;
            int low = high >= 0 ? Character.digit(encoded.charAt(i + 2), 16) : -1;
            if (low >= 0) {
                bytes.put((byte) (high << 4 | low));
                i += 2;
            } else {
                bytes.put((byte) c);
            }
        }
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
    }

    private static final class Builder extends AbstractHttp2ConnectionHandlerBuilder<GrpcStreamHandler, Builder> {
        private final Call call;
        private final TransportLimits limits;
        private final Keepalive keepalive;
        private final GrpcStreamListener listener;

        Builder(Call call, TransportLimits limits, Keepalive keepalive, GrpcStreamListener listener) {
            this.call = call;
            this.limits = limits;
            this.keepalive = keepalive;
            this.listener = listener;
            server(false);
            initialSettings(Http2Settings.defaultSettings()
                    .pushEnabled(false)
                    .initialWindowSize(RECEIVE_WINDOW)
                    .maxHeaderListSize(MAX_HEADER_BYTES));
            // The connection is closed only once its one call is over.
            gracefulShutdownTimeoutMillis(0);
        }

        @Override
        protected GrpcStreamHandler build() {
            return super.build();
        }

        @Override
        protected GrpcStreamHandler build(
                Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
            return new GrpcStreamHandler(decoder, encoder, settings, this);
        }
    }
}
