package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.instrumentation.EngineContext;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLEngine;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.EventMask;
import org.apache.hc.core5.reactor.IOEventHandler;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.reactor.ssl.SSLBufferMode;
import org.apache.hc.core5.reactor.ssl.TransportSecurityLayer;
import org.apache.hc.core5.util.Timeout;

/**
 * Stands above TLS until its handshake is done, and is replaced then. Only then is there a connection as far as the client knows, so that
 * what goes wrong is a connection that did not come, and no request was sent over it. On the reactor's thread, but for {@link #giveUp}.
 */
final class Securing implements FutureCallback<IOSession>, IOEventHandler {
    private final AsyncDialing dialing;
    private final AsyncDial dial;
    private final FutureCallback<IOSession> waiting;
    private final AtomicBoolean told = new AtomicBoolean();

    /** Null before there is a connection. */
    private IOSession session;

    /** What the library has put upon the connection. */
    private IOEventHandler above;

    private volatile boolean done;

    Securing(AsyncDialing dialing, AsyncDial dial, FutureCallback<IOSession> waiting) {
        this.dialing = dialing;
        this.dial = dial;
        this.waiting = waiting;
        dial.begins();
    }

    @Override
    public void completed(IOSession connected) {
        session = connected;
        above = connected.getHandler();
        // Before all that may go wrong: the connection's first event is next.
        connected.upgrade(this);
        try {
            if (!dial.connected(this)) {
                throw new ConnectException("given up");
            }
            ClientTls tls = dial.endpoint().tls();
            SSLEngine engine = dial.speaksHttp2() ? tls.http2Engine(dial.endpoint().address()) : tls.engine(dial.endpoint().address());
            ((TransportSecurityLayer) connected)
                    .startTls(new EngineContext(engine), null, SSLBufferMode.STATIC, null, null, patience());
            // before 5.1 nothing begins until there is something to write
            connected.setEvent(EventMask.WRITE);
        } catch (Exception | LinkageError e) {
            fail(e);
        }
    }

    private Timeout patience() {
        Timeout apps = dial.limit();
        return apps == null || apps.getDuration() <= 0 ? Timeout.of(1, TimeUnit.MINUTES) : apps;
    }

    @Override
    public void failed(Exception cause) {
        waiting.failed(cause);
    }

    @Override
    public void cancelled() {
        waiting.cancelled();
    }

    @Override
    public void connected(IOSession protocol) throws IOException {
        if (!told.compareAndSet(false, true)) {
            return;
        }
        session.upgrade(above);
        done = true;
        dialing.secured(session, dial);
        if (!dial.secured()) {
            session.close(CloseMode.IMMEDIATE);
        }
        waiting.completed(session);
        above.connected(protocol);
    }

    @Override
    public void inputReady(IOSession protocol, ByteBuffer src) throws IOException {
        if (done) {
            above.inputReady(protocol, src);
        }
    }

    @Override
    public void outputReady(IOSession protocol) throws IOException {
        if (done) {
            above.outputReady(protocol);
        }
    }

    @Override
    public void timeout(IOSession protocol, Timeout timeout) throws IOException {
        if (done) {
            above.timeout(protocol, timeout);
        } else {
            fail(new SocketTimeoutException("Connect timed out"));
        }
    }

    @Override
    public void exception(IOSession protocol, Exception cause) {
        if (done) {
            above.exception(protocol, cause);
        } else {
            fail(cause);
        }
    }

    @Override
    public void disconnected(IOSession protocol) {
        if (done) {
            above.disconnected(protocol);
        } else {
            fail(new IOException("closed during the handshake"));
        }
    }

    /** HttpCore 5.0 tells nobody of a session that is closed, for which others may wait, too. On any thread. */
    void giveUp() {
        fail(new IOException("given up"));
    }

    private void fail(Throwable cause) {
        if (!told.compareAndSet(false, true)) {
            return;
        }
        session.close(CloseMode.IMMEDIATE);
        if (cause instanceof SocketTimeoutException late) {
            waiting.failed(late);
            return;
        }
        ConnectException failure = new ConnectException("no mesh TLS with " + dial.endpoint().address() + ": " + cause.getMessage());
        failure.initCause(cause);
        waiting.failed(failure);
    }
}
