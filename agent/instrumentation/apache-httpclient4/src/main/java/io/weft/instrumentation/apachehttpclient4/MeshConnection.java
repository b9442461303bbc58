package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLSession;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpConnectionMetrics;
import org.apache.http.HttpEntityEnclosingRequest;
import org.apache.http.HttpException;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.ConnectTimeoutException;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.HttpClientConnectionManager;
import org.apache.http.conn.HttpHostConnectException;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.execchain.RequestAbortedException;

/**
 * What the library takes for its connection during one hop: at any time one that is leased from the app's pool, or none.
 *
 * <p>For the thread of the request; but {@link #shutdown}, {@link #discard} and {@link #release} may come from whoever reads the body,
 * from a canceller or a timer.
 */
final class MeshConnection implements ManagedHttpClientConnection {
    private final HttpClientConnectionManager apps;
    private final SecuredSockets securedSockets;
    private final EndpointRoutes routes;
    private final HttpRoute route;
    private final Object state;
    private final AtomicReference<HttpClientConnection> leased = new AtomicReference<>();

    /** The app waits for a connection; null: it does not. */
    private volatile ConnectionRequest waiting;

    /** The app has given the request up. */
    private volatile boolean aborted;

    /** Null: the connection that is leased is one without mesh TLS. */
    private ClientTls tls;

    /** In milliseconds; below 0: as the connection has it. */
    private int socketTimeout = -1;

    /** Null: there is nothing to say when the response is over. */
    private volatile Runnable end;

    /** To the request before this one of the same hop, which was a challenge; null before. */
    private HttpResponse challenge;

    MeshConnection(HttpClientConnectionManager apps, SecuredSockets securedSockets, EndpointRoutes routes, HttpRoute route, Object state) {
        this.apps = apps;
        this.securedSockets = securedSockets;
        this.routes = routes;
        this.route = route;
        this.state = state;
    }

    /** The app's own. */
    HttpRoute route() {
        return route;
    }

    /** Null: none. */
    HttpClientConnection leased() {
        return leased.get();
    }

    boolean isAborted() {
        return aborted;
    }

    HttpResponse challenge() {
        return challenge;
    }

    void answered(HttpResponse response) {
        challenge = response;
    }

    /** To be run when the response is over, in whatever way. */
    void onEnd(Runnable end) {
        this.end = end;
        if (aborted) {
            end.run();
        }
    }

    /**
     * A connection to the endpoint, kept alive or not connected yet. None is leased before.
     *
     * @param endpoint null: to where the app's own route leads
     */
    HttpClientConnection lease(Endpoint endpoint, RequestConfig config) throws IOException {
        HttpClientConnection connection = leaseAny(endpoint, config);
        while (!securedSockets.lease(connection)) {
            discard();
            connection = leaseAny(endpoint, config);
        }
        return connection;
    }

    private HttpClientConnection leaseAny(Endpoint endpoint, RequestConfig config) throws IOException {
        tls = endpoint == null ? null : endpoint.tls();
        ConnectionRequest request =
                apps.requestConnection(endpoint == null ? route : routes.to(endpoint, route), EndpointRoutes.state(tls, state));
        waiting = request;
        try {
            refuseAborted();
            HttpClientConnection connection = request.get(Math.max(0, config.getConnectionRequestTimeout()), TimeUnit.MILLISECONDS);
            leased.set(connection);
            refuseAborted();
            if (config.isStaleConnectionCheckEnabled() && connection.isOpen() && connection.isStale()) {
                connection.close();
            }
            return connection;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RequestAbortedException("Request aborted", e);
        } catch (ExecutionException e) {
            throw new RequestAbortedException("Request execution failed", e.getCause() == null ? e : e.getCause());
        } finally {
            waiting = null;
        }
    }

    private void refuseAborted() throws RequestAbortedException {
        if (aborted) {
            ConnectionRequest request = waiting;
            if (request != null) {
                request.cancel();
            }
            discard();
            throw new RequestAbortedException("Request aborted");
        }
    }

    /**
     * Connects what is leased, if it is not.
     *
     * @param limitMillis above 0; of the app's own limit and this one the shorter counts
     */
    void open(HttpClientConnection connection, Endpoint endpoint, int limitMillis, HttpClientContext context) throws IOException {
        if (!connection.isOpen()) {
            int apps = context.getRequestConfig().getConnectTimeout();
            connect(connection, endpoint, apps > 0 ? Math.min(apps, limitMillis) : limitMillis, context);
        }
        if (socketTimeout >= 0) {
            connection.setSocketTimeout(socketTimeout);
        }
    }

    private void connect(HttpClientConnection connection, Endpoint endpoint, int timeoutMillis, HttpClientContext context)
            throws IOException {
        HttpRoute route = routes.to(endpoint, this.route);
        EndpointRoutes.limit(apps, route, this.route);
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        try {
            apps.connect(connection, route, timeoutMillis, context);
            if (endpoint.tls() != null) {
                securedSockets.secure(connection, endpoint, until - System.nanoTime());
            }
        } catch (ConnectTimeoutException e) {
            throw new ConnectTimeoutException(cause(e), named(endpoint), address(endpoint));
        } catch (SocketTimeoutException e) {
            throw new ConnectTimeoutException(e, named(endpoint), address(endpoint));
        } catch (ConnectException e) {
            throw new HttpHostConnectException(cause(e), named(endpoint), address(endpoint));
        }
        apps.routeComplete(connection, route, context);
    }

    /** As the library does it where the mesh is not concerned. */
    void openAsAppSays(HttpClientConnection connection, HttpClientContext context) throws IOException {
        if (!connection.isOpen()) {
            apps.connect(connection, route, Math.max(0, context.getRequestConfig().getConnectTimeout()), context);
            apps.routeComplete(connection, route, context);
        }
        if (socketTimeout >= 0) {
            connection.setSocketTimeout(socketTimeout);
        }
    }

    private static IOException cause(IOException failure) {
        return failure.getCause() instanceof IOException cause ? cause : failure;
    }

    /** As the app knows it: exceptions speak of it. */
    private HttpHost named(Endpoint endpoint) {
        HttpHost app = route.getTargetHost();
        return new HttpHost(app.getHostName(), endpoint.address().getPort(), app.getSchemeName());
    }

    /** As a resolver would have given it for that name: it is part of the message of a failed connect. */
    private InetAddress address(Endpoint endpoint) {
        String name = route.getTargetHost().getHostName();
        boolean literal = name.indexOf(':') >= 0 || Character.digit(name.charAt(name.length() - 1), 10) >= 0;
        return EndpointRoutes.named(literal ? null : name, endpoint.address());
    }

    /** The connection that is leased is of no use any more. From any thread. */
    void discard() {
        HttpClientConnection connection = leased.getAndSet(null);
        if (connection != null) {
            securedSockets.shutdown(connection);
            apps.releaseConnection(connection, null, 0, TimeUnit.MILLISECONDS);
        }
    }

    /** Gives the connection that is leased back to the app's pool; a second time it does nothing. */
    void release(Object state, long validity, TimeUnit unit) {
        HttpClientConnection connection = leased.getAndSet(null);
        try {
            if (connection != null && !securedSockets.giveBack(connection)) {
                securedSockets.shutdown(connection);
            }
            if (connection != null) {
                apps.releaseConnection(connection, EndpointRoutes.state(tls, state), validity, unit);
            }
        } finally {
            end();
        }
    }

    private void end() {
        Runnable end = this.end;
        if (end != null) {
            end.run();
        }
    }

    /** The app gives the request up. */
    @Override
    public void shutdown() {
        aborted = true;
        ConnectionRequest request = waiting;
        if (request != null) {
            request.cancel();
        }
        HttpClientConnection connection = leased.get();
        if (connection != null) {
            securedSockets.shutdown(connection);
        }
        end();
    }

    @Override
    public void close() throws IOException {
        HttpClientConnection connection = leased.get();
        try {
            if (connection != null) {
                connection.close();
            }
        } finally {
            end();
        }
    }

    @Override
    public boolean isOpen() {
        HttpClientConnection connection = leased.get();
        return connection != null && connection.isOpen();
    }

    @Override
    public boolean isStale() {
        HttpClientConnection connection = leased.get();
        return connection == null || connection.isStale();
    }

    @Override
    public void setSocketTimeout(int millis) {
        socketTimeout = millis;
        HttpClientConnection connection = leased.get();
        if (connection != null) {
            connection.setSocketTimeout(millis);
        }
    }

    @Override
    public int getSocketTimeout() {
        HttpClientConnection connection = leased.get();
        return connection == null ? socketTimeout : connection.getSocketTimeout();
    }

    /** @throws IllegalStateException there is none, as the library's own say it */
    private HttpClientConnection connection() {
        HttpClientConnection connection = leased.get();
        if (connection == null) {
            throw new IllegalStateException("Connection is not open");
        }
        return connection;
    }

    private ManagedHttpClientConnection managed() {
        return connection() instanceof ManagedHttpClientConnection managed ? managed : null;
    }

    @Override
    public HttpConnectionMetrics getMetrics() {
        return connection().getMetrics();
    }

    @Override
    public boolean isResponseAvailable(int timeout) throws IOException {
        return connection().isResponseAvailable(timeout);
    }

    @Override
    public void sendRequestHeader(HttpRequest request) throws HttpException, IOException {
        connection().sendRequestHeader(request);
    }

    @Override
    public void sendRequestEntity(HttpEntityEnclosingRequest request) throws HttpException, IOException {
        connection().sendRequestEntity(request);
    }

    @Override
    public HttpResponse receiveResponseHeader() throws HttpException, IOException {
        return connection().receiveResponseHeader();
    }

    @Override
    public void receiveResponseEntity(HttpResponse response) throws HttpException, IOException {
        connection().receiveResponseEntity(response);
    }

    @Override
    public void flush() throws IOException {
        connection().flush();
    }

    @Override
    public String getId() {
        ManagedHttpClientConnection managed = managed();
        return managed == null ? null : managed.getId();
    }

    @Override
    public void bind(Socket socket) throws IOException {
        managed().bind(socket);
    }

    @Override
    public Socket getSocket() {
        ManagedHttpClientConnection managed = managed();
        return managed == null ? null : managed.getSocket();
    }

    /** The app sees no TLS. */
    @Override
    public SSLSession getSSLSession() {
        return null;
    }

    @Override
    public InetAddress getLocalAddress() {
        ManagedHttpClientConnection managed = managed();
        return managed == null ? null : managed.getLocalAddress();
    }

    @Override
    public int getLocalPort() {
        ManagedHttpClientConnection managed = managed();
        return managed == null ? -1 : managed.getLocalPort();
    }

    @Override
    public InetAddress getRemoteAddress() {
        ManagedHttpClientConnection managed = managed();
        return managed == null ? null : managed.getRemoteAddress();
    }

    @Override
    public int getRemotePort() {
        ManagedHttpClientConnection managed = managed();
        return managed == null ? -1 : managed.getRemotePort();
    }
}
