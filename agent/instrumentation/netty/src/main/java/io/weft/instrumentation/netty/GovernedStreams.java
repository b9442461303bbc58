package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.netty.IncomingStream.State;
import java.util.Locale;
import java.util.Map;

/**
 * Between the decoder of an HTTP/2 connection that was accepted and the app's listener: what becomes of each request before the app hears
 * of its stream, and of the head of its response. Of a request that the mesh answers itself the app hears nothing. On the channel's
 * event loop.
 */
final class GovernedStreams extends Http2FrameListenerDecorator implements Accepted.Http2Connection {
    private static final LocalReply TOO_LARGE = LocalReply.of(413, "Payload Too Large");

    private final AdapterContext context;
    private final Http2Connection connection;
    private final Http2Connection.PropertyKey key;
    /** Null: of no connection that was accepted. */
    private Accepted accepted;
    private ChannelHandlerContext ctx;
    private boolean gone;

    GovernedStreams(AdapterContext context, Http2Connection connection, Http2FrameListener listener) {
        super(listener);
        this.context = context;
        this.connection = connection;
        key = connection.newKey();
    }

    /** It belongs to that connection. */
    void of(ChannelHandlerContext handler, Accepted connectionOf) {
        if (accepted != null) {
            return;
        }
        accepted = connectionOf;
        ctx = handler;
        accepted.speaksHttp2(handler.channel(), this);
        connection.addListener(new Http2ConnectionAdapter() {
            @Override
            public void onStreamClosed(Http2Stream stream) {
                end(stream);
            }

            @Override
            public void onStreamRemoved(Http2Stream stream) {
                end(stream);
            }
        });
    }

    private void end(Http2Stream stream) {
        IncomingStream incoming = stream.removeProperty(key);
        if (incoming != null) {
            incoming.answered();
            incoming.end();
        }
    }

    private IncomingStream incoming(int stream) {
        Http2Stream known = accepted == null ? null : connection.stream(stream);
        return known == null ? null : known.getProperty(key);
    }

    private Http2ConnectionHandler handler() {
        return (Http2ConnectionHandler) ctx.handler();
    }

    @FunctionalInterface
    private interface Frame {
        void handOver() throws Http2Exception;
    }

    /** The app's listener is called. */
    private static void handOver(Frame frame) throws Http2Exception {
        frame.handOver();
    }

    @Override
    public void onHeadersRead(ChannelHandlerContext ctx, int stream, Http2Headers headers, int padding, boolean last)
            throws Http2Exception {
        headers(ctx, stream, headers, last, () -> super.onHeadersRead(ctx, stream, headers, padding, last));
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext ctx, int stream, Http2Headers headers, int dependency, short weight, boolean exclusive, int padding,
            boolean last) throws Http2Exception {
        headers(ctx, stream, headers, last,
                () -> super.onHeadersRead(ctx, stream, headers, dependency, weight, exclusive, padding, last));
    }

    private void headers(ChannelHandlerContext from, int stream, Http2Headers headers, boolean last, Frame frame) throws Http2Exception {
        Accepted connectionOf = accepted == null ? Accepted.of(from.channel()) : accepted;
        if (accepted == null && connectionOf != null) {
            of(from, connectionOf);
        }
        Http2Stream known = accepted == null ? null : connection.stream(stream);
        if (known == null) {
            handOver(frame);
            return;
        }
        IncomingStream incoming = known.getProperty(key);
        if (incoming == null) {
            incoming = new IncomingStream(accepted, headers, last);
            known.setProperty(key, incoming);
            accepted.port().enter(incoming);
            incoming.hideTls();
            decide(stream, incoming, frame);
            return;
        }
        // Trailers.
        later(stream, incoming, last, frame);
    }

    private void later(int stream, IncomingStream incoming, boolean last, Frame frame) throws Http2Exception {
        if (last) {
            incoming.completed();
        }
        switch (incoming.state()) {
            case WITH_APP -> handOver(frame);
            case WAITING -> incoming.keep(() -> handOverKept(stream, frame), () -> { });
            case ANSWERED -> { }
        }
    }

    private void decide(int stream, IncomingStream incoming, Frame head) throws Http2Exception {
        try {
            if (!incoming.claimed()) {
                incoming.handOver();
                handOver(head);
                return;
            }
            switch (incoming.next()) {
                case PROCEED -> {
                    incoming.handOver();
                    handOver(head);
                }
                case WAIT -> incoming.afterDelay(() -> ctx.executor().execute(() -> resume(stream, incoming, head)));
                case REPLY -> answer(stream, incoming, incoming.reply());
                case CLOSE -> {
                    incoming.answered();
                    ctx.close();
                }
            }
        } catch (RuntimeException | Error fault) {
            // What policy may not admit must not get in because of a fault.
            if (incoming.state() == State.WITH_APP) {
                throw fault;
            }
            context.warn("a request is refused, since it cannot be decided: " + fault);
            incoming.answered();
            reset(stream, Http2Error.INTERNAL_ERROR);
        }
    }

    private void resume(int stream, IncomingStream incoming, Frame head) {
        if (incoming.state() != State.WAITING || incoming(stream) != incoming) {
            return;
        }
        try {
            decide(stream, incoming, head);
            if (incoming.state() == State.WITH_APP) {
                incoming.handOverKept();
                ctx.fireChannelReadComplete();
            }
        } catch (Http2Exception | RuntimeException e) {
            handler().onError(ctx, false, e);
        }
        handler().flush(ctx);
    }

    private void handOverKept(int stream, Frame frame) {
        try {
            handOver(frame);
        } catch (Http2Exception e) {
            reset(stream, e.error());
        }
    }

    private void reset(int stream, Http2Error error) {
        handler().resetStream(ctx, stream, error.code(), ctx.newPromise());
        ctx.flush();
    }

    private void answer(int stream, IncomingStream incoming, LocalReply reply) {
        incoming.answered();
        Http2Headers headers = new DefaultHttp2Headers(false).status(Integer.toString(reply.status()));
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.add(header.getKey().toLowerCase(Locale.ROOT), header.getValue());
        }
        boolean bodiless = reply.body().length == 0 || incoming.method().equals("HEAD");
        ChannelFuture sent = handler().encoder().writeHeaders(ctx, stream, headers, 0, bodiless, ctx.newPromise());
        if (!bodiless) {
            sent = handler().encoder().writeData(ctx, stream, Unpooled.wrappedBuffer(reply.body()), 0, true, ctx.newPromise());
        }
        if (!incoming.isComplete()) {
            // Whatever else the caller would send is not wanted (RFC 9113, 8.1).
            sent.addListener(done -> {
                if (!incoming.isComplete() && connection.stream(stream) != null) {
                    reset(stream, Http2Error.NO_ERROR);
                }
            });
        }
        if (incoming.goesAway()) {
            goAway();
        }
        handler().flush(ctx);
    }

    @Override
    public int onDataRead(ChannelHandlerContext ctx, int stream, ByteBuf data, int padding, boolean last) throws Http2Exception {
        IncomingStream incoming = incoming(stream);
        if (incoming == null) {
            return super.onDataRead(ctx, stream, data, padding, last);
        }
        if (last) {
            incoming.completed();
        }
        int bytes = data.readableBytes() + padding;
        switch (incoming.state()) {
            case WAITING -> {
                data.retain();
                incoming.keep(() -> data(stream, incoming, data, padding, last), data::release);
                return 0;
            }
            case ANSWERED -> {
                return bytes;
            }
            default -> {
                return admits(stream, incoming, data) ? handOver(ctx, stream, data, padding, last) : bytes;
            }
        }
    }

    private int handOver(ChannelHandlerContext ctx, int stream, ByteBuf data, int padding, boolean last) throws Http2Exception {
        return super.onDataRead(ctx, stream, data, padding, last);
    }

    /** What came while its stream was waiting. */
    private void data(int stream, IncomingStream incoming, ByteBuf data, int padding, boolean last) {
        try {
            int bytes = data.readableBytes() + padding;
            int processed = admits(stream, incoming, data) ? handOver(ctx, stream, data, padding, last) : bytes;
            Http2Stream known = connection.stream(stream);
            if (processed > 0 && known != null) {
                connection.local().flowController().consumeBytes(known, processed);
            }
        } catch (Http2Exception e) {
            reset(stream, e.error());
        } finally {
            data.release();
        }
    }

    private boolean admits(int stream, IncomingStream incoming, ByteBuf data) throws Http2Exception {
        if (incoming.admits(data.readableBytes())) {
            return true;
        }
        // The app's stream ends as if the caller had given up.
        super.onRstStreamRead(ctx, stream, Http2Error.CANCEL.code());
        if (incoming.isResponded()) {
            incoming.answered();
            reset(stream, Http2Error.CANCEL);
        } else {
            answer(stream, incoming, TOO_LARGE);
        }
        return false;
    }

    @Override
    public void onRstStreamRead(ChannelHandlerContext ctx, int stream, long error) throws Http2Exception {
        IncomingStream incoming = incoming(stream);
        if (incoming == null || incoming.state() == State.WITH_APP) {
            super.onRstStreamRead(ctx, stream, error);
        }
    }

    Http2Headers responseHeaders(int stream, Http2Headers headers) {
        IncomingStream incoming = incoming(stream);
        StreamHeaders.Response response = new StreamHeaders.Response(headers);
        int status = incoming == null || incoming.state() != State.WITH_APP || incoming.isResponded() ? 0 : response.status();
        if (incoming == null || !incoming.begins(status)) {
            return headers;
        }
        if (incoming.goesAway()) {
            goAway();
        }
        if (!incoming.claimed()) {
            return headers;
        }
        if (incoming.responseBytesPerSecond() > 0) {
            context.warn("policy slows responses down, which is not done over HTTP/2");
        }
        incoming.onResponse(status, response);
        ResponseChanges changes = incoming.responseChanges();
        if (changes.isEmpty()) {
            return headers;
        }
        Http2Headers changed = Http2.copy(headers);
        new StreamHeaders(changed).changeResponse(changes);
        return changed;
    }

    /** The caller takes another connection for what comes next; what is under way goes on. */
    @Override
    public void goAway() {
        if (gone || ctx == null || ctx.isRemoved() || !ctx.channel().isActive()) {
            return;
        }
        gone = true;
        handler().goAway(ctx, Integer.MAX_VALUE, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx.newPromise());
        ctx.flush();
    }
}
