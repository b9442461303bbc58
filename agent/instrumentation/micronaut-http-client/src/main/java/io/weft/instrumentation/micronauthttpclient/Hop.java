package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.exceptions.HttpClientException;
import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.LocalReply;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The attempts at one request that the library has written on a channel of the mesh's. All but {@link #abort} is for that channel's event loop. */
final class Hop {
    private final Hops of;
    private final MeshChannel channel;
    private final HttpRequest request;
    /** As often as it takes; null: the body comes in parts. */
    private final FullHttpRequest whole;

    /** Null: the mesh has nothing to do with it. */
    private OutgoingRequest exchange;
    /** Null: none yet. */
    private Attempt attempt;
    /** The library knows that the head is on its way. */
    private boolean headIsSent;
    /** The app has had its outcome. */
    private boolean over;

    Hop(Hops of, MeshChannel channel, HttpRequest request) {
        this.of = of;
        this.channel = channel;
        this.request = request;
        this.whole = request instanceof FullHttpRequest full ? full.retainedDuplicate() : null;
    }

    MeshChannel channel() {
        return channel;
    }

    Internals internals() {
        return of.internals();
    }

    Object connections() {
        return of.connections();
    }

    /** Null: the mesh has nothing to do with it. */
    OutgoingRequest exchange() {
        return exchange;
    }

    void begin() {
        exchange = new OutgoingRequest(whole == null ? request : whole, this, of.destination().authority());
        try {
            if (!of.context().outbound().claims(exchange)) {
                exchange = null;
            }
        } catch (Throwable fault) {
            atFault(fault);
            return;
        }
        advance();
    }

    private void advance() {
        if (over) {
            return;
        }
        try {
            if (exchange == null) {
                dial(null);
                return;
            }
            switch (exchange.next()) {
                case WAIT -> again();
                case REPLY -> answer();
                case DIAL -> dial(way());
            }
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void again() {
        channel.eventLoop().schedule(this::advance, exchange.backoffNanos(), TimeUnit.NANOSECONDS);
    }

    private Way way() {
        Way way = of.ways().way(of.destination(), exchange.endpoint());
        way.connectWithin((int) Math.max(1, Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(exchange.connectTimeoutNanos()))));
        return way;
    }

    /** @param way null: where the app's URL says */
    private void dial(Way way) throws Throwable {
        RequestKey key = way == null ? of.destination().direct() : way.key();
        attempt = new Attempt(this, way);
        try {
            attempt.begin(key);
        } catch (HttpClientException refused) {
            attempt.giveUp();
            notConnected(Failure.CANCELLED, refused);
        }
    }

    /** The attempt was given a connection that is good for none, which is not the endpoint's fault. */
    void redial(Way way) {
        try {
            dial(way);
        } catch (Throwable fault) {
            atFault(fault);
        }
    }

    private void answer() {
        LocalReply reply = exchange.reply();
        boolean head = exchange.method().equals("HEAD");
        exchange.end();
        ends();
        // The library is not done with sending.
        channel.eventLoop().execute(() -> {
            headIsSent();
            answer(reply, head);
        });
    }

    private void answer(LocalReply reply, boolean toHead) {
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(reply.status()));
        for (Map.Entry<String, String> header : reply.headers()) {
            head.headers().add(header.getKey(), header.getValue());
        }
        if (reply.status() != 204 && !head.headers().contains(HttpHeaderNames.CONTENT_LENGTH)) {
            head.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, reply.body().length);
        }
        channel.receives(head);
        if (!toHead && reply.status() != 204 && reply.status() != 304 && reply.body().length > 0) {
            channel.receives(new DefaultHttpContent(Unpooled.wrappedBuffer(reply.body())));
        }
        channel.receives(LastHttpContent.EMPTY_LAST_CONTENT);
        channel.isAnswered(true);
    }

    // What the app sends.

    /** For one attempt, which writes it. */
    HttpRequest onWire() {
        HttpRequest sent = whole == null ? request : whole.retainedDuplicate();
        return exchange == null ? sent : WireRequest.of(sent, exchange.requestChanges());
    }

    boolean isWhole() {
        return whole != null;
    }

    void headIsSent() {
        if (!headIsSent) {
            headIsSent = true;
            channel.sent();
        }
    }

    void send(HttpContent part) {
        if (over || attempt == null || !attempt.send(part)) {
            // Nobody wants it any more.
            channel.sent();
        }
    }

    // What becomes of an attempt.

    /** @return true: the response is to be dropped */
    boolean responds(HttpResponse response) {
        if (exchange == null) {
            return false;
        }
        if (exchange.onResponse(response.status().code(), NettyHeaders.view(response.headers()))) {
            again();
            return true;
        }
        new NettyHeaders(response.headers()).changeResponse(exchange.responseChanges());
        return false;
    }

    /** All of the response has come. */
    void completed() {
        if (exchange != null) {
            exchange.end();
        }
        ends();
    }

    /** The delivered response breaks off. */
    void broke() {
        if (exchange != null) {
            exchange.onFailure(Failure.RESET);
            exchange.end();
        }
        ends();
    }

    /** There is no connection. */
    void notConnected(Failure failure, Throwable cause) {
        if (!tryAgain(failure)) {
            lastly(() -> channel.isNotConnected(cause));
        }
    }

    /**
     * The connection is of no use any more, and there is no response.
     *
     * @param tell what lets the library know, unless the mesh tries again
     * @return true: it does
     */
    boolean failed(Failure failure, Runnable tell) {
        boolean again = tryAgain(failure);
        if (!again) {
            lastly(tell);
        }
        return again;
    }

    private boolean tryAgain(Failure failure) {
        if (exchange == null) {
            return false;
        }
        if (exchange.onFailure(failure)) {
            again();
            return true;
        }
        exchange.end();
        return false;
    }

    /** The app has its outcome by that, and the library nothing more to do with the channel. */
    private void lastly(Runnable tell) {
        ends();
        channel.eventLoop().execute(() -> {
            headIsSent();
            tell.run();
            channel.ends();
        });
    }

    private void ends() {
        if (!over) {
            over = true;
            ReferenceCountUtil.release(whole);
        }
    }

    void atFault(Throwable fault) {
        boolean openly = !over && exchange != null && exchange.mayFailOpen() && exchange.attemptCount() <= 1 && !headIsSent;
        if (exchange != null) {
            exchange.end();
        }
        if (attempt != null) {
            attempt.giveUp();
        }
        if (over) {
            of.context().warn("micronaut-http-client: " + fault);
            channel.ends();
            return;
        }
        of.context().warn("micronaut-http-client: a request could not be sent by the mesh: " + fault);
        if (openly) {
            exchange = null;
            advance();
        } else {
            ConnectException unsent = Unsent.because(fault);
            lastly(() -> channel.isNotConnected(new HttpClientException("Connect Error: " + unsent.getMessage(), unsent)));
        }
    }

    // From the library.

    void wantsMore() {
        if (attempt != null) {
            attempt.wantsMore();
        }
    }

    void channelIsClosed() {
        if (over) {
            return;
        }
        if (exchange != null) {
            exchange.onFailure(channel.isPatienceOver() ? Failure.TIMEOUT : Failure.CANCELLED);
            exchange.end();
        }
        ends();
        if (attempt != null) {
            attempt.giveUp();
        }
    }

    /** A time limit is over. On the timer thread. */
    void abort() {
        channel.eventLoop().execute(() -> {
            if (attempt != null) {
                attempt.abort();
            }
        });
    }
}
