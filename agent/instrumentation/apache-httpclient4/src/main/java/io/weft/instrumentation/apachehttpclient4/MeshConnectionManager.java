package io.weft.instrumentation.apachehttpclient4;

import java.util.concurrent.TimeUnit;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ConnectionRequest;
import org.apache.http.conn.HttpClientConnectionManager;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.protocol.HttpContext;

/**
 * The app's connection manager as it is for requests of the mesh: a connection is leased from it when there is something to send.
 * Thread-safe.
 */
final class MeshConnectionManager implements HttpClientConnectionManager {
    private final HttpClientConnectionManager apps;
    private final SecuredSockets secured;
    private final EndpointRoutes routes;

    MeshConnectionManager(HttpClientConnectionManager apps, SecuredSockets secured, EndpointRoutes routes) {
        this.apps = apps;
        this.secured = secured;
        this.routes = routes;
    }

    @Override
    public ConnectionRequest requestConnection(HttpRoute route, Object state) {
        MeshConnection connection = new MeshConnection(apps, secured, routes, route, state);
        return new ConnectionRequest() {
            @Override
            public HttpClientConnection get(long timeout, TimeUnit unit) {
                return connection;
            }

            @Override
            public boolean cancel() {
                connection.shutdown();
                return true;
            }
        };
    }

    @Override
    public void releaseConnection(HttpClientConnection connection, Object state, long validity, TimeUnit unit) {
        ((MeshConnection) connection).release(state, validity, unit);
    }

    /** Not before there is an endpoint. */
    @Override
    public void connect(HttpClientConnection connection, HttpRoute route, int timeout, HttpContext context) {}

    @Override
    public void upgrade(HttpClientConnection connection, HttpRoute route, HttpContext context) {}

    @Override
    public void routeComplete(HttpClientConnection connection, HttpRoute route, HttpContext context) {}

    @Override
    public void closeIdleConnections(long idle, TimeUnit unit) {
        apps.closeIdleConnections(idle, unit);
    }

    @Override
    public void closeExpiredConnections() {
        apps.closeExpiredConnections();
    }

    @Override
    public void shutdown() {
        apps.shutdown();
    }
}
