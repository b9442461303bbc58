package io.weft.instrumentation.apachehttpclient4;

import java.io.IOException;
import java.net.InetAddress;
import javax.net.ssl.SSLSession;
import org.apache.http.HttpConnectionMetrics;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.nio.NHttpClientConnection;
import org.apache.http.nio.conn.ManagedNHttpClientConnection;
import org.apache.http.nio.reactor.IOSession;
import org.apache.http.protocol.BasicHttpContext;
import org.apache.http.protocol.HttpContext;

/** What the library takes for its connection during one hop: at any time one that is leased from the app's pool, or none. Thread-safe. */
final class AsyncConnection implements ManagedNHttpClientConnection {
    private final AsyncHop hop;
    private final HttpContext context = new BasicHttpContext();

    /** In milliseconds; below 0: as the connection has it. */
    private volatile int socketTimeout = -1;

    AsyncConnection(AsyncHop hop) {
        this.hop = hop;
    }

    AsyncHop hop() {
        return hop;
    }

    /** An attempt has a connection. */
    void appliesTo(NHttpClientConnection leased) {
        if (socketTimeout >= 0) {
            leased.setSocketTimeout(socketTimeout);
        }
    }

    /** Null: none. */
    private ManagedNHttpClientConnection leased() {
        AsyncAttempt attempt = hop.latest();
        return attempt == null ? null : (ManagedNHttpClientConnection) attempt.connection();
    }

    /** @throws ConnectionShutdownException there is none, as the library's own say it */
    private ManagedNHttpClientConnection connection() {
        ManagedNHttpClientConnection leased = leased();
        if (leased == null) {
            throw new ConnectionShutdownException();
        }
        return leased;
    }

    /** The library has another request for it. */
    @Override
    public void requestOutput() {
        hop.goesOn();
    }

    @Override
    public void suspendOutput() {
        connection().suspendOutput();
    }

    @Override
    public void requestInput() {
        connection().requestInput();
    }

    @Override
    public void suspendInput() {
        connection().suspendInput();
    }

    @Override
    public boolean isOpen() {
        ManagedNHttpClientConnection leased = leased();
        return leased != null && leased.isOpen();
    }

    @Override
    public boolean isStale() {
        ManagedNHttpClientConnection leased = leased();
        return leased == null || leased.isStale();
    }

    @Override
    public void close() throws IOException {
        ManagedNHttpClientConnection leased = leased();
        if (leased != null) {
            leased.close();
        }
    }

    @Override
    public void shutdown() throws IOException {
        ManagedNHttpClientConnection leased = leased();
        if (leased != null) {
            leased.shutdown();
        }
    }

    @Override
    public void setSocketTimeout(int millis) {
        socketTimeout = millis;
        ManagedNHttpClientConnection leased = leased();
        if (leased != null) {
            leased.setSocketTimeout(millis);
        }
    }

    @Override
    public int getSocketTimeout() {
        ManagedNHttpClientConnection leased = leased();
        return leased == null ? socketTimeout : leased.getSocketTimeout();
    }

    @Override
    public HttpContext getContext() {
        return context;
    }

    /** The app sees no TLS. */
    @Override
    public SSLSession getSSLSession() {
        return connection().getSSLSession();
    }

    @Override
    public int getStatus() {
        ManagedNHttpClientConnection leased = leased();
        return leased == null ? CLOSED : leased.getStatus();
    }

    @Override
    public String getId() {
        return connection().getId();
    }

    @Override
    public void bind(IOSession session) {
        connection().bind(session);
    }

    @Override
    public IOSession getIOSession() {
        return connection().getIOSession();
    }

    @Override
    public void submitRequest(HttpRequest sent) throws IOException, HttpException {
        connection().submitRequest(sent);
    }

    @Override
    public boolean isRequestSubmitted() {
        return connection().isRequestSubmitted();
    }

    @Override
    public void resetOutput() {
        connection().resetOutput();
    }

    @Override
    public void resetInput() {
        connection().resetInput();
    }

    @Override
    public HttpRequest getHttpRequest() {
        return connection().getHttpRequest();
    }

    @Override
    public HttpResponse getHttpResponse() {
        return connection().getHttpResponse();
    }

    @Override
    public HttpConnectionMetrics getMetrics() {
        return connection().getMetrics();
    }

    @Override
    public InetAddress getLocalAddress() {
        return connection().getLocalAddress();
    }

    @Override
    public int getLocalPort() {
        return connection().getLocalPort();
    }

    @Override
    public InetAddress getRemoteAddress() {
        return connection().getRemoteAddress();
    }

    @Override
    public int getRemotePort() {
        return connection().getRemotePort();
    }
}
