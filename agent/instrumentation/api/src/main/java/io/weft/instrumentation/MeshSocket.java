package io.weft.instrumentation;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLSocket;

/**
 * A socket to an endpoint, wherever the library thinks that it connects to. Where policy wants mesh TLS, what is written comes out
 * secured, and neither the library nor its event listeners know: a connection with HTTP/2 by prior knowledge works as ever.
 */
public final class MeshSocket extends Socket {
    /** TLS over a connected socket, as policy wants it. */
    private interface Layering {
        SSLSocket layer(ClientTls tls, Socket connected, InetSocketAddress peer, long limitNanos) throws IOException;
    }

    private final Endpoint endpoint;
    private final Layering layering;
    private final int connectMillis;
    private final AtomicBoolean closing = new AtomicBoolean();

    /** What is layered over a socket shuts that in turn, be it told to or by the peer: what it is told once more is for the socket below. */
    private final AtomicBoolean inputShut = new AtomicBoolean();

    private final AtomicBoolean outputShut = new AtomicBoolean();

    /** A call has the connection, which is secured, or has had it. */
    private final AtomicBoolean used = new AtomicBoolean();

    /** For {@link IdleSockets}. */
    final AtomicLong idleSince = new AtomicLong(IdleSockets.NEVER_WAS);

    /** Who is to hear when it is closed; null: nobody. */
    private volatile IdleSockets idleSockets;

    /** Threads that are writing. */
    private final AtomicInteger writers = new AtomicInteger();

    /** Null: plaintext, or not connected yet. */
    private volatile SSLSocket secured;

    /** Null as long as {@link #secured} is. */
    private volatile ClientConnection pooled;

    /** Null: it is not shared. */
    private final AtomicReference<SharedConnection> shared = new AtomicReference<>();

    private MeshSocket(Endpoint endpoint, long connectNanos, Layering layering) {
        this.endpoint = endpoint;
        this.layering = layering;
        this.connectMillis = (int) Math.min(Integer.MAX_VALUE, Math.max(1, TimeUnit.NANOSECONDS.toMillis(connectNanos)));
    }

    /** @param connectNanos how long connecting may take, the handshake included */
    public static MeshSocket to(Endpoint endpoint, long connectNanos) {
        return new MeshSocket(endpoint, connectNanos, ClientTls::layer);
    }

    /** As {@link #to}, for a connection on which HTTP/2 is spoken and nothing else. */
    public static MeshSocket http2To(Endpoint endpoint, long connectNanos) {
        return new MeshSocket(endpoint, connectNanos, ClientTls::http2Layer);
    }

    /** Whether it is as a socket to that endpoint would be, for pools that do not tell. */
    public boolean leadsTo(Endpoint other) {
        return endpoint.tls() == other.tls() && endpoint.address().equals(other.address());
    }

    @Override
    public void connect(SocketAddress logical) throws IOException {
        connect(logical, 0);
    }

    /** With the handshake, since what is waited for is a connection that can be used. */
    @Override
    public void connect(SocketAddress logical, int timeout) throws IOException {
        int limit = timeout > 0 ? Math.min(timeout, connectMillis) : connectMillis;
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limit);
        super.connect(endpoint.address(), limit);
        if (endpoint.tls() == null) {
            return;
        }
        SSLSocket layered = layer(until - System.nanoTime());
        pooled = endpoint.tls().connections().opened(closing(this));
        secured = layered;
        if (isClosed()) {
            throw new SocketException("Socket closed");
        }
    }

    /** The library finds a closed socket in its pool, as if the endpoint had closed it. */
    private static Runnable closing(MeshSocket socket) {
        WeakReference<MeshSocket> pooled = new WeakReference<>(socket);
        return () -> {
            MeshSocket open = pooled.get();
            if (open != null) {
                open.closeQuietly();
            }
        };
    }

    /**
     * A call gets the connection that it is of. One that policy has taken away meanwhile is found to be closed, but not by the call that
     * has waited for it.
     */
    public void leased() {
        ClientConnection kept = pooled;
        if (kept != null && used.getAndSet(true) && !kept.lease()) {
            closeQuietly();
        }
    }

    /** No call has that connection any longer. */
    public void idle() {
        ClientConnection kept = pooled;
        if (kept == null) {
            return;
        }
        // Before 3.14 OkHttp says who has a new connection before that has a socket: leased() was not called for it.
        used.set(true);
        if (!kept.giveBack()) {
            closeQuietly();
        }
    }

    /** In place of {@link #leased} and {@link #idle}, of a connection that several calls may have at once. It is to be asked before the first of them has it. */
    public SharedConnection shared() {
        SharedConnection there = shared.get();
        if (there == null) {
            shared.compareAndSet(null, new SharedConnection(endpoint.tls(), closing(this)));
            there = shared.get();
        }
        return there;
    }

    private void closeQuietly() {
        try {
            close();
        } catch (IOException closed) {
            // It is of no use any more, and nobody waits for it.
            return;
        }
    }

    /** Over the streams of this socket as they are without TLS. */
    private SSLSocket layer(long limitNanos) throws IOException {
        try {
            return layering.layer(endpoint.tls(), this, endpoint.address(), limitNanos);
        } catch (RuntimeException | LinkageError e) {
            super.close();
            ConnectException failure = new ConnectException("mesh TLS cannot be set up: " + e);
            failure.initCause(e);
            throw failure;
        }
    }

    @Override
    public InputStream getInputStream() throws IOException {
        SSLSocket layered = secured;
        return layered == null ? super.getInputStream() : layered.getInputStream();
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        SSLSocket layered = secured;
        return layered == null ? super.getOutputStream() : new Counted(layered.getOutputStream());
    }

    @Override
    public void shutdownInput() throws IOException {
        SSLSocket layered = secured;
        if (layered == null || closing.get() || inputShut.getAndSet(true)) {
            super.shutdownInput();
        } else {
            layered.shutdownInput();
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        SSLSocket layered = secured;
        if (layered == null || closing.get() || outputShut.getAndSet(true)) {
            super.shutdownOutput();
        } else {
            layered.shutdownOutput();
        }
    }

    void isKnownTo(IdleSockets those) {
        idleSockets = those;
        if (isClosed()) {
            those.forget(this);
        }
    }

    /** At once: closing TLS waits for whoever is writing, and who cancels a call must not. */
    @Override
    public void close() throws IOException {
        SSLSocket layered = secured;
        try {
            if (layered != null && closing.compareAndSet(false, true) && writers.get() == 0) {
                // which closes this one in turn
                layered.close();
            }
        } finally {
            super.close();
            IdleSockets those = idleSockets;
            if (those != null) {
                those.forget(this);
            }
        }
    }

    private final class Counted extends FilterOutputStream {
        Counted(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            writers.incrementAndGet();
            try {
                out.write(b);
            } finally {
                writers.decrementAndGet();
            }
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            writers.incrementAndGet();
            try {
                out.write(bytes, offset, length);
            } finally {
                writers.decrementAndGet();
            }
        }
    }
}
