package io.weft.instrumentation.jettyclient;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.io.AbstractConnection;
import org.eclipse.jetty.io.ClientConnectionFactory;
import org.eclipse.jetty.io.ssl.SslHandshakeListener;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Stands above TLS until its handshake is done, and is replaced then. Only then is there a connection as far as the client knows, so that
 * what goes wrong is a connection that did not come, and no request was sent over it.
 */
final class Handshake extends AbstractConnection implements SslHandshakeListener {
    private final MeshConnection secured;
    private final EndpointKey endpoint;
    private final ClientConnectionFactory above;
    private final DialContext context;
    private final Scheduler.Task patience;
    private final AtomicBoolean told = new AtomicBoolean();
    private volatile boolean done;

    Handshake(HttpClient client, MeshConnection secured, EndpointKey endpoint, ClientConnectionFactory above, DialContext context) {
        super(secured.getSslEndPoint(), client.getExecutor());
        this.secured = secured;
        this.endpoint = endpoint;
        this.above = above;
        this.context = context;
        secured.addHandshakeListener(this);
        long millis = client.getConnectTimeout();
        patience = millis <= 0
                ? null
                : client.getScheduler().schedule(() -> fail(new SocketTimeoutException("Connect Timeout")), millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handshakeSucceeded(Event event) {
        done = true;
    }

    @Override
    public void onOpen() {
        super.onOpen();
        try {
            getEndPoint().flush(BufferUtil.EMPTY_BUFFER);
            goOn();
        } catch (IOException | RuntimeException e) {
            fail(e);
        }
    }

    @Override
    public void onFillable() {
        try {
            while (!done) {
                int filled = getEndPoint().fill(BufferUtil.EMPTY_BUFFER);
                if (filled < 0) {
                    throw new EOFException("closed during the handshake");
                }
                if (filled == 0) {
                    break;
                }
            }
            goOn();
        } catch (IOException | RuntimeException e) {
            fail(e);
        }
    }

    private void goOn() throws IOException {
        if (!done) {
            fillInterested();
        } else if (told.compareAndSet(false, true)) {
            if (patience != null) {
                patience.cancel();
            }
            secured.opened(endpoint.tls());
            getEndPoint().upgrade(above.newConnection(getEndPoint(), context.values()));
            secured.handedOver();
        }
    }

    @Override
    public void onFillInterestedFailed(Throwable cause) {
        fail(cause);
    }

    private void fail(Throwable cause) {
        if (!told.compareAndSet(false, true)) {
            return;
        }
        if (patience != null) {
            patience.cancel();
        }
        close();
        IOException failure = cause instanceof SocketTimeoutException late ? late : new ConnectException("no mesh TLS with " + endpoint.address());
        if (failure != cause) {
            failure.initCause(cause);
        }
        context.fail(failure);
    }
}
