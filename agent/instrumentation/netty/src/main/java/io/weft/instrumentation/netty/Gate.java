package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.InboundConnection;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.netty.Protocols.Guarded;
import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * First in the pipeline of a connection that was accepted. Until it is known what the connection is, nothing passes in either direction:
 * a server may speak first, and must not do so in plaintext. A connection that is to be secured has its bytes decrypted and encrypted here,
 * and no handler of the app is ever before this one. One in plaintext is left alone as soon as it is known who looks at its requests.
 *
 * <p>On the channel's event loop.
 */
final class Gate extends ChannelDuplexHandler {
    static final String NAME = "weft";

    /** A server that speaks several kinds of HTTP knows by then which: as long as the preface of HTTP/2 (RFC 9113, 3.4). */
    private static final int TELLING = 24;

    private enum State {
        /** It is not active yet. */
        NEW,
        UNDECIDED, PLAINTEXT, SECURED,
        /** It is about to be closed. */
        CLOSED
    }

    private record Written(Object message, ChannelPromise promise) {}

    private final AdapterContext context;
    private final Protocols protocols;
    private final Listening listening;
    private final Accepted accepted;

    private State state = State.NEW;
    /** The app has been told that there is a connection. */
    private boolean active;
    private InboundConnection connection;
    private Wire wire;
    /** Null before the first byte. */
    private AcceptedChannel bytes;
    private Encryption encryption;

    /** Who looks at the requests is known. */
    private boolean told;
    private int telling;

    private boolean held;
    private boolean readLater;
    private boolean readAutomatically;
    private final Deque<Written> written = new ArrayDeque<>(0);
    private boolean flushLater;
    /** Since the last time that the channel was read. */
    private boolean handedOver;
    /** The app has cleared its pipeline, and this is in it all the same. */
    private boolean stayed;

    Gate(AdapterContext context, Protocols protocols, Listening listening, Accepted accepted) {
        this.context = context;
        this.protocols = protocols;
        this.listening = listening;
        this.accepted = accepted;
    }

    /** Its pipeline is what the app has made of it. */
    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        try {
            begin(ctx);
        } catch (RuntimeException | Error fault) {
            closeAfter(ctx, fault);
        }
        if (state != State.CLOSED) {
            active = true;
            ctx.fireChannelActive();
        }
    }

    private void begin(ChannelHandlerContext ctx) {
        Channel channel = ctx.channel();
        if (!(channel.localAddress() instanceof InetSocketAddress local)
                || !(channel.remoteAddress() instanceof InetSocketAddress remote)) {
            // It is gone again.
            close(ctx);
            return;
        }
        boolean ownTls = Protocols.hasOwnTls(ctx.pipeline());
        if (ownTls) {
            listening.foundOwnTls();
        }
        connection = context.inbound().accepted(local, remote, ownTls, ctx::close);
        if (connection == null) {
            close(ctx);
            return;
        }
        InboundConnection seen = connection;
        channel.closeFuture().addListener(closed -> seen.closed());
        accepted.begun(connection, ownTls);
        wire = new Wire(ctx);
        // What is hidden in the app's own TLS, no policy can speak of.
        told = ownTls;
        if (connection.inspects()) {
            state = State.UNDECIDED;
        } else {
            passOn(ctx);
        }
    }

    private void passOn(ChannelHandlerContext ctx) {
        state = State.PLAINTEXT;
        releaseWritten(ctx);
        if (told) {
            ctx.pipeline().remove(this);
        }
    }

    private void releaseWritten(ChannelHandlerContext ctx) {
        for (Written next = written.poll(); next != null; next = written.poll()) {
            write(ctx, next.message, next.promise);
        }
        if (flushLater) {
            flushLater = false;
            flush(ctx);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (!(message instanceof ByteBuf buffer) || state == State.CLOSED || state == State.NEW) {
            if (state == State.CLOSED) {
                ReferenceCountUtil.release(message);
            } else {
                ctx.fireChannelRead(message);
            }
            return;
        }
        try {
            if (state == State.PLAINTEXT) {
                handOn(ctx, buffer);
                return;
            }
            wire.received(buffer);
            if (state == State.SECURED) {
                decrypt(ctx);
            } else if (!held) {
                decide(ctx);
            }
        } catch (IOException gone) {
            close(ctx);
        } catch (RuntimeException | Error fault) {
            closeAfter(ctx, fault);
        }
    }

    private void decide(ChannelHandlerContext ctx) throws IOException {
        // Before anybody could resume it.
        held = true;
        if (connection.held(() -> ctx.executor().execute(() -> resume(ctx)))) {
            pause(ctx);
            return;
        }
        held = false;
        if (bytes == null) {
            bytes = new AcceptedChannel(wire, connection, Protocols.speaksHttp2(ctx.pipeline()));
        }
        boolean ready;
        try {
            ready = bytes.handshake() == 0;
        } finally {
            // On failure, too: the caller is told why.
            if (wire.send()) {
                ctx.flush();
            }
        }
        if (!ready) {
            return;
        }
        unpause(ctx);
        if (bytes.isSecured()) {
            state = State.SECURED;
            encryption = new Encryption(ctx, bytes, wire);
            releaseWritten(ctx);
            decrypt(ctx);
        } else {
            handOnWhatCame(ctx);
        }
    }

    /** Resumes what was held up. */
    private void resume(ChannelHandlerContext ctx) {
        held = false;
        if (state != State.UNDECIDED) {
            return;
        }
        try {
            decide(ctx);
            if (!held) {
                unpause(ctx);
                channelReadComplete(ctx);
            }
        } catch (IOException gone) {
            close(ctx);
        } catch (RuntimeException | Error fault) {
            closeAfter(ctx, fault);
        }
    }

    private void pause(ChannelHandlerContext ctx) {
        if (ctx.channel().config().isAutoRead()) {
            readAutomatically = true;
            ctx.channel().config().setAutoRead(false);
        }
    }

    private void unpause(ChannelHandlerContext ctx) {
        if (readAutomatically) {
            readAutomatically = false;
            ctx.channel().config().setAutoRead(true);
        }
        if (readLater) {
            readLater = false;
            ctx.read();
        }
    }

    /** In one piece, as it would have come. */
    private void handOnWhatCame(ChannelHandlerContext ctx) throws IOException {
        ByteBuf first = ctx.alloc().buffer();
        while (bytes.hasInput()) {
            ByteBuffer looked = ByteBuffer.allocate(TELLING);
            bytes.read(looked);
            first.writeBytes(looked.flip());
        }
        ByteBuf rest = wire.next();
        if (rest != null) {
            first.writeBytes(rest);
            rest.release();
        }
        passOn(ctx);
        handOn(ctx, first);
        for (ByteBuf next = wire.next(); next != null; next = wire.next()) {
            handOn(ctx, next);
        }
    }

    private void decrypt(ChannelHandlerContext ctx) throws IOException {
        ByteBuf record = null;
        try {
            while (state == State.SECURED) {
                if (record == null) {
                    record = ctx.alloc().heapBuffer(AcceptedChannel.MOST_AT_ONCE, AcceptedChannel.MOST_AT_ONCE);
                }
                int read = bytes.read(record.internalNioBuffer(0, AcceptedChannel.MOST_AT_ONCE));
                if (read <= 0) {
                    if (read < 0) {
                        // The caller has said farewell. Without TLS that would be the end of what comes in, by which a channel is closed.
                        close(ctx);
                    }
                    return;
                }
                if (read > AcceptedChannel.MOST_AT_ONCE / 2) {
                    ByteBuf whole = record.writerIndex(read);
                    record = null;
                    handOn(ctx, whole);
                } else {
                    handOn(ctx, ctx.alloc().buffer(read).writeBytes(record.setIndex(0, read)));
                    record.clear();
                }
            }
        } finally {
            if (record != null) {
                record.release();
            }
            if (wire.send()) {
                // A key update is answered.
                ctx.flush();
            }
        }
    }

    /** To the app, once it is known that somebody looks at its requests, or that nobody has to. */
    private void handOn(ChannelHandlerContext ctx, ByteBuf buffer) {
        ByteBuf left = buffer;
        while (!told && left != null && state != State.CLOSED) {
            Guarded guarded = protocols.guarded(ctx.pipeline());
            if (guarded == Guarded.YES || guarded == Guarded.NO || telling >= TELLING) {
                told = true;
                if (guarded != Guarded.YES && !connection.admitsOpaque()) {
                    close(ctx);
                }
            } else if (!connection.isRestricted()) {
                telling += left.readableBytes();
                fire(ctx, left);
                left = null;
            } else {
                int first = Math.min(left.readableBytes(), TELLING - telling);
                telling += first;
                ByteBuf start = left.readRetainedSlice(first);
                if (!left.isReadable()) {
                    left.release();
                    left = null;
                }
                fire(ctx, start);
            }
        }
        if (left == null) {
            return;
        }
        if (state == State.CLOSED) {
            left.release();
            return;
        }
        fire(ctx, left);
        if (state == State.PLAINTEXT && told && !ctx.isRemoved()) {
            ctx.pipeline().remove(this);
        }
    }

    private void fire(ChannelHandlerContext ctx, ByteBuf buffer) {
        handedOver = true;
        ctx.fireChannelRead(buffer);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        boolean toldApp = handedOver;
        handedOver = false;
        if (toldApp || state == State.PLAINTEXT) {
            ctx.fireChannelReadComplete();
        }
        if (!toldApp && (state == State.UNDECIDED || state == State.SECURED) && !held && !ctx.channel().config().isAutoRead()) {
            // What came was not for the app, which has asked for something.
            ctx.read();
        }
    }

    @Override
    public void read(ChannelHandlerContext ctx) {
        if (held) {
            readLater = true;
        } else {
            ctx.read();
        }
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        switch (state) {
            case NEW, UNDECIDED -> written.add(new Written(message, promise));
            case PLAINTEXT -> ctx.write(message, promise);
            case SECURED -> {
                try {
                    encryption.write(message, promise);
                } catch (IOException | RuntimeException e) {
                    promise.tryFailure(e);
                    close(ctx);
                }
            }
            case CLOSED -> {
                ReferenceCountUtil.release(message);
                promise.tryFailure(new ClosedChannelException());
            }
        }
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
        switch (state) {
            case NEW, UNDECIDED -> flushLater = true;
            case SECURED -> {
                try {
                    encryption.flush();
                } catch (IOException | RuntimeException e) {
                    close(ctx);
                }
            }
            case PLAINTEXT, CLOSED -> ctx.flush();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (state == State.SECURED) {
            try {
                encryption.sendFile();
            } catch (IOException | RuntimeException e) {
                close(ctx);
            }
        }
        ctx.fireChannelWritabilityChanged();
    }

    private void closeAfter(ChannelHandlerContext ctx, Throwable fault) {
        context.warn("a connection is closed, since it cannot be decided about: " + fault);
        close(ctx);
    }

    private void close(ChannelHandlerContext ctx) {
        close(ctx, ctx.newPromise());
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        if (state == State.SECURED) {
            sayFarewell(ctx);
        }
        end();
        ctx.close(promise);
    }

    /** Without waiting for it: as in plaintext, what the channel has not sent by now it never will. */
    private void sayFarewell(ChannelHandlerContext ctx) {
        try {
            bytes.close();
            if (wire.send()) {
                ctx.flush();
            }
        } catch (IOException gone) {
            // The caller was faster.
            return;
        }
    }

    private void end() {
        state = State.CLOSED;
        ClosedChannelException closed = new ClosedChannelException();
        for (Written next = written.poll(); next != null; next = written.poll()) {
            ReferenceCountUtil.release(next.message);
            next.promise.tryFailure(closed);
        }
        if (encryption != null) {
            encryption.close();
        }
        if (wire != null) {
            wire.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        end();
        if (active) {
            ctx.fireChannelInactive();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (active) {
            ctx.fireExceptionCaught(cause);
        }
    }

    /**
     * Asked before the app removes it. Who clears a pipeline for another protocol, as Vert.x 4 does for HTTP/2, cannot mean what keeps the
     * connection secured; but nobody is to try for ever.
     */
    boolean stays() {
        boolean stays = state == State.SECURED && !stayed;
        stayed |= stays;
        return stays;
    }

    /** By the app: nothing it writes from now on would be encrypted, or decided about. */
    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (state == State.UNDECIDED || state == State.SECURED || state == State.NEW) {
            // Past all handlers, some of which may take their time; and before whoever hears that a write has failed writes something else.
            ctx.channel().unsafe().close(ctx.channel().voidPromise());
            end();
        }
    }
}
