package io.weft.instrumentation.helidon;

import io.helidon.common.socket.SocketOptions;
import io.helidon.http.ClientRequestHeaders;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.WritableHeaders;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.MeshSocket;
import io.weft.instrumentation.Unsent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** One attempt of a request. For the thread of the request; but {@link #end} and {@link #over} may come from any. */
abstract class Attempt extends UnderWay {
    private final AdapterContext context;
    private final Connections connections;
    private final OutgoingRequest exchange;

    private boolean connecting = true;
    private boolean led;
    private volatile boolean ended;

    Attempt(AdapterContext context, Connections connections, Object chain, OutgoingRequest exchange) {
        super(chain);
        this.context = context;
        this.connections = connections;
        this.exchange = exchange;
    }

    final OutgoingRequest exchange() {
        return exchange;
    }

    final boolean isConnecting() {
        return connecting;
    }

    /** Whether the library has been told where to: else it goes where the app's own resolver says. */
    final boolean isLed() {
        return led;
    }

    /** @return what the library's cache is to know the connection by, in the place of the app's host */
    final String lead(String host) {
        String key = connections.towards(exchange.endpoint(), exchange.upstreamCluster(), host);
        led = true;
        return key;
    }

    final InetSocketAddress address() {
        return exchange.endpoint().address();
    }

    /** Not connected yet. */
    abstract MeshSocket socket();

    /** {@link #end} closes it from now on, unless the attempt has another way meanwhile. */
    abstract void connectsBy(MeshSocket socket);

    /** In the place of the library's own socket. */
    final Object connect(SocketOptions options) {
        if (!led) {
            return exchange.mayFailOpen() ? Handler.PROCEED : lost();
        }
        MeshSocket there = socket();
        try {
            options.configureSocket(there);
            connectsBy(there);
            if (ended) {
                throw new SocketTimeoutException("too late to connect");
            }
            there.connect(address(), (int) options.connectTimeout().toMillis());
            return there;
        } catch (IOException e) {
            close(there);
            return new Handler.Thrown(new UncheckedIOException(e));
        } catch (RuntimeException e) {
            close(there);
            return new Handler.Thrown(e);
        }
    }

    /** The cache has this one. @return false: policy has taken it away meanwhile, or wants another one */
    abstract boolean takes(MeshSocket kept);

    /** The library has its connection, and does not ask for one any more. */
    final void connected() {
        connecting = false;
    }

    /**
     * The request is about to be written, and {@link #end} ends that.
     *
     * @param over what it is written to; null: nothing of the mesh's
     * @return its headers as they are to be on the wire
     */
    final Object begin(Socket over, ClientRequestHeaders headers) {
        if (!led || !(over instanceof MeshSocket)) {
            if (!exchange.mayFailOpen()) {
                return lost();
            }
            context.warn("a request of Helidon's WebClient goes where the app's own resolver says");
        }
        if (!exchange.connected() || ended) {
            return new Handler.Thrown(new UncheckedIOException(new SocketTimeoutException("too late to send")));
        }
        RequestChanges changes = exchange.requestChanges();
        if (changes.equals(RequestChanges.NONE)) {
            return headers;
        }
        WritableHeaders<?> changed = WritableHeaders.create(headers);
        HeaderView view = new HeaderView(changed);
        view.change(changes);
        if (changes.authority() != null) {
            view.set("host", changes.authority());
        }
        byte[] entity = exchange.entity();
        if (entity != null) {
            // As the library does, on what will be the app's.
            headers.set(HeaderValues.create(HeaderNames.CONTENT_LENGTH, entity.length));
        }
        return ClientRequestHeaders.create(changed);
    }

    private static Handler.Thrown lost() {
        return new Handler.Thrown(new UncheckedIOException(
                Unsent.because(new IllegalStateException("the library was not told where to connect to"))));
    }

    /** A part of a body that is written as it goes. */
    final void sends(int bytes) {
        if (!connecting && exchange.replay() == Replay.ONE_SHOT) {
            exchange.bytesSent(bytes);
        }
    }

    final void sent() {
        if (!connecting && exchange.replay() == Replay.ONE_SHOT) {
            exchange.requestSent();
        }
    }

    final boolean isEnded() {
        return ended;
    }

    /** Whoever connects, reads or writes sees it at once. From any thread. */
    final void end() {
        ended = true;
        breakOff();
    }

    /** Does not block. */
    abstract void breakOff();

    /** It has failed, or its response is not for the app. */
    abstract void drop();

    /** The response's body is over, or nobody will read it. Again after that it does nothing. */
    abstract void over();

    static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            // All the same: whoever uses it finds it out.
            return;
        }
    }
}
