package io.weft.instrumentation.okhttp;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;
import okhttp3.Address;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.Request;
import okio.Sink;

/** One attempt of a hop. For the thread of the call; but {@link #end} may come from any, and a socket is made where the library likes. */
final class Attempt {
    private final Interceptor.Chain chain;

    /** Null: not for the mesh. */
    private final OutgoingRequest exchange;

    private final Calls calls;
    private final ConnectionSettings settings;
    private final EndpointDns dns;

    /** Of the address that the library asked for last; null before it did. For the thread of the call. */
    private MeshSocketFactory sockets;

    /** While it connects; null: it does not. */
    private volatile Socket connecting;

    /** What the request is written to; null before. */
    private volatile Object codec;

    private volatile boolean ended;

    private boolean led;

    /** @param exchange of which an attempt is due */
    Attempt(Interceptor.Chain chain, OutgoingRequest exchange, Calls calls, ConnectionSettings settings) {
        Endpoint endpoint = exchange.endpoint();
        this.chain = chain;
        this.exchange = exchange;
        this.calls = calls;
        this.settings = settings;
        this.dns = new EndpointDns(endpoint.address(), endpoint.tls());
    }

    private Attempt(Interceptor.Chain chain) {
        this.chain = chain;
        this.exchange = null;
        this.calls = null;
        this.settings = null;
        this.dns = null;
    }

    static Attempt unmeshed(Interceptor.Chain chain) {
        return new Attempt(chain);
    }

    boolean isMeshed() {
        return exchange != null;
    }

    boolean isOf(Interceptor.Chain chain) {
        return this.chain == chain;
    }

    /** Whether a connection of that address leads to where this attempt is to go. */
    boolean leadsThere(Address connected) {
        return connected.dns().equals(dns);
    }

    /** In place of the library's own. Host and port are the same: it compares them with those of the URL. */
    Address address(HttpUrl url) {
        sockets = new MeshSocketFactory(exchange.endpoint(), exchange.connectTimeoutNanos(), this);
        Address there = new Address(
                url.host(),
                url.port(),
                dns,
                sockets,
                null,
                null,
                null,
                settings.proxyAuthenticator(),
                Proxy.NO_PROXY,
                settings.client().protocols(),
                settings.client().connectionSpecs(),
                settings.proxySelector());
        led = true;
        return there;
    }

    /** The call has a connection that leads there already. */
    void stays() {
        led = true;
    }

    /** Whether the library has been given the address: else it goes where the app's own resolver says. */
    boolean isLed() {
        return led;
    }

    /** The library is about to write the request's head. @return what to write */
    Object begin(Object codec, Request request) {
        if (exchange == null) {
            return request;
        }
        over();
        this.codec = codec;
        if (!exchange.connected()) {
            // The library may still look for a response.
            calls.cancel(codec);
            return new Handler.Thrown(new SocketTimeoutException("too late to send"));
        }
        return wire(request, exchange.requestChanges());
    }

    private static Request wire(Request request, RequestChanges changes) {
        if (changes.equals(RequestChanges.NONE)) {
            return request;
        }
        Headers.Builder headers = request.headers().newBuilder();
        HeaderEdits edits = new HeaderEdits(headers);
        edits.change(changes);
        if (changes.authority() != null) {
            edits.set("Host", changes.authority());
        }
        Request.Builder wire = request.newBuilder().headers(headers.build());
        return changes.path() == null ? wire.build() : wire.url(at(request.url(), changes.path())).build();
    }

    private static HttpUrl at(HttpUrl url, String target) {
        int query = target.indexOf('?');
        return url.newBuilder()
                .encodedPath(query < 0 ? target : target.substring(0, query))
                .encodedQuery(query < 0 ? null : target.substring(query + 1))
                .build();
    }

    Sink body(Sink sink) {
        return exchange == null || exchange.replay() != Replay.ONE_SHOT ? sink : new SentBody(sink, exchange);
    }

    /** @throws IOException it is too late */
    void connecting(Socket socket) throws IOException {
        connecting = socket;
        if (ended) {
            throw new SocketTimeoutException("too late to connect");
        }
    }

    /** It does not connect any more: it has a connection, or there is none. */
    void over() {
        if (connecting != null) {
            connecting = null;
        }
        if (sockets != null) {
            sockets.forget();
        }
    }

    boolean isSent() {
        return codec != null;
    }

    boolean isEnded() {
        return ended;
    }

    /** Closes the connection or resets the stream: whoever reads or writes sees it at once. From any thread. */
    void end() {
        ended = true;
        Object writtenTo = codec;
        if (writtenTo != null) {
            calls.cancel(writtenTo);
            return;
        }
        Socket socket = connecting;
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException closed) {
                // All the same: whoever connects finds it out.
                return;
            }
        }
    }
}
