package io.weft.instrumentation.helidon;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.socket.SocketOptions;
import io.helidon.http.ClientRequestHeaders;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.WritableHeaders;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.TcpClientConnection;
import io.weft.dataplane.Endpoint;
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

/** One attempt of a request. For the thread of the request; but {@link #end} may come from any. */
final class Attempt {
    private final AdapterContext context;
    private final CallChains chains;
    private final Object chain;
    /** Null: not for the mesh. */
    private final OutgoingRequest exchange;

    private boolean connecting = true;
    private boolean led;
    /** That the cache has handed out; null: none. */
    private MeshSocket taken;
    /** Null: there is none yet. */
    private ClientConnection connection;
    /** To or over which it is made; null: there is none yet. */
    private volatile Socket socket;
    private volatile boolean ended;

    /** @param exchange of which an attempt is due; null: not for the mesh */
    Attempt(AdapterContext context, CallChains chains, Object chain, OutgoingRequest exchange) {
        this.context = context;
        this.chains = chains;
        this.chain = chain;
        this.exchange = exchange;
    }

    static Attempt unmeshed(Object chain) {
        return new Attempt(null, null, chain, null);
    }

    boolean isUnmeshed() {
        return exchange == null;
    }

    boolean isOf(Object callChain) {
        return chain == callChain;
    }

    boolean isConnecting() {
        return connecting;
    }

    /** Whether the library has been told where to: else it goes where the app's own resolver says. */
    boolean isLed() {
        return led;
    }

    /**
     * Connections are cached by that: a text, since the cache keeps it for ever, and one of few, so that what was secured by an earlier certificate is found, and
     * dropped.
     *
     * @param host the app's
     */
    String lead(String host) {
        Endpoint endpoint = exchange.endpoint();
        String there = host + ' ' + exchange.upstreamCluster() + ' ' + endpoint.address() + (endpoint.tls() == null ? "" : " by mesh TLS");
        led = true;
        return there;
    }

    InetSocketAddress address() {
        return exchange.endpoint().address();
    }

    /** In the place of the library's own socket. */
    Object connect(SocketOptions options) {
        if (!led) {
            return exchange.mayFailOpen() ? Handler.PROCEED : lost();
        }
        MeshSocket there = MeshSocket.to(exchange.endpoint(), exchange.connectTimeoutNanos());
        try {
            options.configureSocket(there);
            socket = there;
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
    boolean takes(MeshSocket kept) {
        if (!kept.leadsTo(exchange.endpoint())) {
            close(kept);
            return false;
        }
        kept.leased();
        taken = kept;
        return !kept.isClosed();
    }

    /** The request is about to be written. @return its headers as they are to be on the wire */
    Object begin(ClientConnection over, ClientRequestHeaders headers) throws Throwable {
        connecting = false;
        connection = over;
        if (over instanceof TcpClientConnection) {
            socket = chains.socket(over);
        }
        if (!led) {
            if (!exchange.mayFailOpen()) {
                return lost();
            }
            context.warn("a request of Helidon's WebClient goes where the app's own resolver says");
        }
        if (socket instanceof MeshSocket mesh && mesh != taken) {
            mesh.leased();
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

    /** @return the request's first line as it is to be on the wire */
    BufferData prologue(BufferData apps) {
        String path = exchange.requestChanges().path();
        if (path == null) {
            return apps;
        }
        BufferData changed = BufferData.growing(path.length() + 128);
        changed.writeAscii(exchange.method() + ' ' + path + " HTTP/1.1\r\n");
        return changed;
    }

    /** A part of a body that is written as it goes. */
    void sends(int bytes) {
        if (!connecting && exchange.replay() == Replay.ONE_SHOT) {
            exchange.bytesSent(bytes);
        }
    }

    void sent() {
        if (!connecting && exchange.replay() == Replay.ONE_SHOT) {
            exchange.requestSent();
        }
    }

    boolean isEnded() {
        return ended;
    }

    /** Whoever connects, reads or writes sees it at once. From any thread. */
    void end() {
        ended = true;
        Socket used = socket;
        if (used != null) {
            close(used);
        }
    }

    /** It has failed, or its response is not for the app. */
    void drop() {
        if (connection != null) {
            connection.closeResource();
        } else if (taken != null) {
            close(taken);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            // All the same: whoever uses it finds it out.
            return;
        }
    }
}
