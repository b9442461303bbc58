package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.exceptions.HttpClientException;
import io.micronaut.http.client.netty.ConnectionManager.PoolHandle;
import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.Exchange.Failure;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/** One attempt at a request, over a connection of the library's pool. For the event loop of the {@link Hop}'s channel, unless it says so. */
final class Attempt {
    private enum State { CONNECTING, SENDING, DELIVERED, DROPPED, OVER }

    /** A response that is dropped may have so much for its connection to be kept. */
    private static final long MOST_DROPPED = 64 << 10;
    /** And so long, which is the library's own limit for what its app leaves unread. */
    private static final long MOST_MILLIS_DROPPED = 5_000;

    /** On a connection whose pool is told at once when it is closed. */
    private static final AttributeKey<Boolean> KNOWN = AttributeKey.valueOf("weft.micronaut-http-client.known");

    private final Hop hop;
    /** Null: the mesh has nothing to do with it. */
    private final Way way;
    private final EventLoop loop;
    private final long waitsSince = System.nanoTime();
    private State state = State.CONNECTING;
    /** Of the library's pool; null: it has no connection, or none any more. */
    private PoolHandle handle;
    private Channel real;
    /** All of the request is written. */
    private boolean requestSent;
    /** What comes belongs to a 100 response. */
    private boolean interim;
    private boolean keepAlive;
    /** As it came: what the library does to its head the codec takes for what came, up to 4.1, and so a body that breaks off for one that ends. */
    private boolean chunked;
    private long dropped;

    Attempt(Hop hop, Way way) {
        this.hop = hop;
        this.way = way;
        this.loop = hop.channel().eventLoop();
    }

    /**
     * From any thread.
     *
     * @return false: the client is closed, and the task is not run
     */
    boolean onLoop(Runnable task) {
        if (loop.inEventLoop()) {
            run(task);
            return true;
        }
        try {
            loop.execute(() -> run(task));
            return true;
        } catch (RejectedExecutionException closed) {
            return false;
        }
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable fault) {
            hop.atFault(fault);
        }
    }

    // To its connection.

    void begin(RequestKey key) throws Throwable {
        hop.internals().acquire(hop.connections(), key, (given, failure) -> {
            // With the client goes the connection.
            if (!onLoop(() -> acquired(given, failure)) && given != null) {
                given.channel().close();
            }
        });
    }

    private void acquired(PoolHandle given, Throwable failure) {
        if (failure != null) {
            if (state == State.CONNECTING) {
                state = State.OVER;
                hop.notConnected(classify(failure), failure);
            }
            return;
        }
        handle = given;
        real = given.channel();
        if (!given.http2() && real.attr(KNOWN).setIfAbsent(true) == null) {
            // Else the pool of 4.0, not that of 4.10, looks for another connection without end when a request meets one that is closed and has not told it yet.
            real.closeFuture().addListener(closed -> given.taint());
        }
        if (state != State.CONNECTING) {
            release(true);
            return;
        }
        SecuredConnection secured = way == null || way.tls() == null ? null : SecuredConnection.of(real);
        if (way != null && way.tls() != null && (secured == null || !secured.isSecuredBy(way.tls()))) {
            release(false);
            throw new IllegalStateException("a connection to " + way.address() + " is not secured");
        }
        if (!real.isActive() || secured != null && !secured.lease(waitsSince)) {
            // Closed, or taken away by policy, since it was in the pool.
            state = State.OVER;
            release(false);
            hop.redial(way);
            return;
        }
        state = State.SENDING;
        OnChannel.begin(real, this, way != null);
        if (state != State.SENDING) {
            // Closed meanwhile.
            return;
        }
        if (hop.exchange() != null && !hop.exchange().connected()) {
            state = State.OVER;
            end(true);
            failed(Failure.RESET, new SocketTimeoutException("too late to send"));
            return;
        }
        sendHead();
        real.read();
    }

    /** What was not sent because the app's pool is full, or waits for too long, was no endpoint's fault. */
    private static Failure classify(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof IOException) {
                return Failure.CONNECT;
            }
        }
        return Failure.CANCELLED;
    }

    private void sendHead() {
        HttpRequest head = hop.onWire();
        boolean last = head instanceof LastHttpContent;
        int length = head instanceof FullHttpRequest full ? full.content().readableBytes() : 0;
        real.writeAndFlush(head).addListener(written -> onLoop(() -> {
            if (written.isSuccess()) {
                hop.headIsSent();
                wrote(length, last);
            } else {
                notWritten(written.cause());
            }
        }));
    }

    /** @return false: it is too late */
    boolean send(HttpContent part) {
        if (state != State.SENDING && state != State.DELIVERED || requestSent) {
            return false;
        }
        boolean last = part instanceof LastHttpContent;
        int length = part.content().readableBytes();
        real.writeAndFlush(part.retainedDuplicate()).addListener(written -> onLoop(() -> {
            if (written.isSuccess()) {
                wrote(length, last);
            } else {
                notWritten(written.cause());
            }
            hop.channel().sent();
        }));
        return true;
    }

    private void wrote(int length, boolean last) {
        // Also after the head of the response.
        boolean told = hop.exchange() != null && (state == State.SENDING || state == State.DELIVERED);
        if (told) {
            hop.exchange().bytesSent(length);
        }
        if (last) {
            requestSent = true;
            if (told) {
                hop.exchange().requestSent();
            }
        }
    }

    private void notWritten(Throwable cause) {
        if (state == State.SENDING && !(cause instanceof IOException && real.isActive())) {
            exception(cause);
        }
    }

    // From its connection.

    /** @param open the connection is not closed */
    void read(Object message, boolean open) {
        switch (state) {
            case SENDING -> {
                if (message instanceof HttpResponse response) {
                    responds(response, open);
                } else {
                    interim = !(message instanceof LastHttpContent) && interim;
                    hop.channel().receives(message);
                }
            }
            case DELIVERED -> content(message, open);
            case DROPPED -> drop(message);
            default -> ReferenceCountUtil.release(message);
        }
    }

    private void responds(HttpResponse response, boolean open) {
        if (response.decoderResult().isFailure()) {
            state = State.OVER;
            end(false);
            boolean again = hop.failed(Failure.RESET, () -> {
                hop.channel().receives(response);
                hop.channel().receivedAll();
            });
            if (again) {
                ReferenceCountUtil.release(response);
            }
            return;
        }
        interim = response.status().equals(HttpResponseStatus.CONTINUE);
        if (interim) {
            hop.channel().receives(response);
            return;
        }
        keepAlive = HttpUtil.isKeepAlive(response);
        chunked = HttpUtil.isTransferEncodingChunked(response);
        if (hop.responds(response)) {
            state = State.DROPPED;
            drop(response);
            if (state == State.DROPPED && !(keepAlive && requestSent)) {
                stopDropping();
            } else if (state == State.DROPPED) {
                loop.schedule(this::stopDropping, MOST_MILLIS_DROPPED, TimeUnit.MILLISECONDS);
            }
            return;
        }
        state = State.DELIVERED;
        rests();
        if (response instanceof HttpContent) {
            content(response, open);
        } else {
            hop.channel().receives(response);
        }
    }

    private void content(Object message, boolean open) {
        if (!(message instanceof HttpContent part)) {
            hop.channel().receives(message);
            return;
        }
        if (hop.exchange() != null) {
            hop.exchange().bytesReceived(part.content().readableBytes());
            rests();
        }
        if (part.decoderResult().isFailure()) {
            state = State.OVER;
            end(false);
            hop.broke();
            hop.channel().receives(message);
            hop.channel().receivedAll();
        } else if (part instanceof LastHttpContent) {
            // Before the app hears of the end.
            state = State.OVER;
            boolean whole = open || !chunked;
            if (whole) {
                hop.completed();
            } else {
                hop.broke();
            }
            MeshChannel channel = hop.channel();
            boolean closes = !keepAlive || !open;
            end(whole && keepAlive && requestSent, () -> {
                channel.receives(message);
                channel.isAnswered(closes);
            });
        } else {
            hop.channel().receives(message);
        }
    }

    private void drop(Object message) {
        if (message instanceof HttpContent part) {
            dropped += part.content().readableBytes();
        }
        boolean last = message instanceof LastHttpContent;
        ReferenceCountUtil.release(message);
        if (last) {
            state = State.OVER;
            end(keepAlive && requestSent);
        } else if (dropped > MOST_DROPPED) {
            stopDropping();
        }
    }

    private void stopDropping() {
        if (state == State.DROPPED) {
            state = State.OVER;
            end(false);
        }
    }

    void readAll() {
        switch (state) {
            case SENDING, DROPPED -> real.read();
            case DELIVERED -> hop.channel().receivedAll();
            default -> { }
        }
    }

    /** The app does. */
    void wantsMore() {
        if (state == State.DELIVERED) {
            if (hop.exchange() != null) {
                hop.exchange().awaitsBytes();
            }
            real.read();
        }
    }

    /** Until the app wants more. */
    private void rests() {
        if (hop.exchange() != null) {
            hop.exchange().awaitsNothing();
        }
    }

    void inactive() {
        State before = state;
        state = State.OVER;
        if (before != State.OVER && before != State.CONNECTING) {
            end(false);
        }
        switch (before) {
            case SENDING -> hop.failed(Failure.RESET, () -> { });
            case DELIVERED -> {
                hop.broke();
                hop.channel().ends();
            }
            default -> { }
        }
    }

    void exception(Throwable cause) {
        State before = state;
        state = State.OVER;
        if (before != State.OVER && before != State.CONNECTING) {
            end(false);
        }
        switch (before) {
            case SENDING -> failed(cause instanceof IOException ? Failure.RESET : Failure.CANCELLED, cause);
            case DELIVERED -> {
                hop.broke();
                hop.channel().pipeline().fireExceptionCaught(cause);
                hop.channel().ends();
            }
            default -> { }
        }
    }

    private void failed(Failure failure, Throwable cause) {
        hop.failed(failure, () -> hop.channel().pipeline().fireExceptionCaught(cause));
    }

    // Its end.

    /** The app, or a fault, has ended the request. */
    void giveUp() {
        State before = state;
        state = State.OVER;
        if (before == State.SENDING || before == State.DELIVERED || before == State.DROPPED) {
            end(false);
        } else if (before == State.CONNECTING && handle != null) {
            release(false);
        }
    }

    /** A time limit is over. */
    void abort() {
        switch (state) {
            case CONNECTING -> {
                state = State.OVER;
                ConnectTimeoutException cause = new ConnectTimeoutException("connection timed out: " + (way == null ? "" : way.address()));
                hop.notConnected(Failure.CONNECT, new HttpClientException("Connect Error: " + cause.getMessage(), cause));
            }
            case SENDING, DELIVERED -> close();
            default -> { }
        }
    }

    private void close() {
        // TLS would wait for what is yet to be written.
        ChannelHandlerContext tls = real.pipeline().context(Connecting.TLS);
        if (tls == null) {
            real.close();
        } else {
            tls.close();
        }
    }

    /** @param reusable whether another request may have the connection */
    private void end(boolean reusable) {
        end(reusable, () -> { });
    }

    private void end(boolean reusable, Runnable then) {
        if (!reusable) {
            close();
        }
        SecuredConnection secured = SecuredConnection.of(real);
        boolean good = (secured == null || secured.giveBack()) && reusable && (way == null || !way.isGone());
        Channel connection = real;
        PoolHandle given = handle;
        handle = null;
        if (connection.eventLoop().inEventLoop()) {
            OnChannel.end(connection);
            release(given, good);
            then.run();
        } else {
            connection.eventLoop().execute(() -> {
                OnChannel.end(connection);
                release(given, good);
                onLoop(then);
            });
        }
    }

    /** One that was not used. */
    private void release(boolean good) {
        PoolHandle given = handle;
        handle = null;
        boolean kept = good && (way == null || !way.isGone());
        if (real.eventLoop().inEventLoop()) {
            release(given, kept);
        } else {
            real.eventLoop().execute(() -> release(given, kept));
        }
    }

    private static void release(PoolHandle given, boolean good) {
        if (!good) {
            given.taint();
        }
        given.release();
    }
}
