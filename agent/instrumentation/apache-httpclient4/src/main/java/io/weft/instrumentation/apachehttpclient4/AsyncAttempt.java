package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.Turn;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.http.ConnectionClosedException;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.concurrent.FutureCallback;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.impl.conn.ConnectionShutdownException;
import org.apache.http.nio.ContentDecoder;
import org.apache.http.nio.ContentEncoder;
import org.apache.http.nio.IOControl;
import org.apache.http.nio.NHttpClientConnection;
import org.apache.http.nio.conn.ManagedNHttpClientConnection;
import org.apache.http.nio.conn.NHttpClientConnectionManager;
import org.apache.http.nio.protocol.HttpAsyncClientExchangeHandler;
import org.apache.http.nio.protocol.HttpAsyncRequestExecutor;
import org.apache.http.nio.reactor.IOSession;
import org.apache.http.pool.ConnPoolControl;
import org.apache.http.pool.PoolStats;
import org.apache.http.protocol.HttpContext;

/**
 * One attempt of a hop: leases a connection, secures it if need be, and is the message exchange on it.
 *
 * <p>Thread rule: what comes from the connection comes on the reactor's thread, the connection itself perhaps on the thread that asks for
 * it, and the end by the app or the mesh from any. {@link #turn} keeps apart who speaks to the exchange until a response is there,
 * {@link #rest} from then on, and {@link #sending} keeps the end from the middle of the app's body, which the next attempt may want to
 * begin again.
 */
final class AsyncAttempt implements HttpAsyncClientExchangeHandler {
    private enum Outcome { NONE, DROPPED, DELIVERED }

    private final AsyncHop hop;
    private final NHttpClientConnectionManager connections;

    /** Null: it goes on over the connection of the attempt before, and no policy is asked. */
    private final Endpoint endpoint;

    /** Null: as the library makes it. */
    private final HttpRequest wire;

    private final Turn turn = new Turn();
    private final Turn sending = new Turn();

    /** Of a response that the app gets; over when its body is. */
    private final Turn rest = new Turn();

    private final AtomicReference<NHttpClientConnection> leased = new AtomicReference<>();

    /** The latest; null: none. */
    private volatile Lease lease;

    /** Why the mesh or the app has ended it; null: neither has. */
    private volatile Exception given;

    /** There was a connection. */
    private volatile boolean reached;

    /** Whether there was a request over the connection before. */
    private volatile boolean reused;

    /** The time for its connection has begun. */
    private volatile boolean limited;

    /** As the connection has it when it is not busy with a handshake. */
    private int socketTimeout;

    private volatile boolean onConnection;
    private volatile boolean touched;

    /** It was the app's own body that failed. */
    private volatile boolean broken;

    private volatile Outcome outcome = Outcome.NONE;
    private volatile boolean done;

    /** For what the connection writes to and reads from. */
    private WatchedEncoder encoder;

    private WatchedDecoder decoder;
    private WatchedInput input;

    AsyncAttempt(AsyncHop hop, Endpoint endpoint, HttpRequest wire) {
        this.hop = hop;
        this.endpoint = endpoint;
        this.wire = wire;
        this.connections = hop.connections();
    }

    /** The next leg of a dialogue that authenticates the connection. */
    AsyncAttempt next() {
        AsyncAttempt next = new AsyncAttempt(hop, null, null);
        next.reused = true;
        next.leased.set(leased.getAndSet(null));
        return next;
    }

    /** Null: plaintext. */
    private ClientTls tls() {
        return endpoint == null ? null : endpoint.tls();
    }

    private boolean isOfTheMesh() {
        return endpoint != null;
    }

    /** The next attempt has to begin with the body again. */
    boolean hasTouchedBody() {
        return touched;
    }

    /** Null: none. */
    NHttpClientConnection connection() {
        return leased.get();
    }

    // To a connection.

    void start() {
        NHttpClientConnection kept = leased.get();
        if (kept != null) {
            take(kept);
        } else {
            lease();
        }
    }

    private void lease() {
        RequestConfig config = hop.clientContext().getRequestConfig();
        Object state = EndpointRoutes.state(tls(), hop.clientContext().getUserToken());
        HttpRoute route = route();
        Lease next = new Lease();
        lease = next;
        reused = false;
        reached = false;
        limited = false;
        try {
            next.future = connections.requestConnection(
                    route, state, connectMillis(config.getConnectTimeout()), config.getConnectionRequestTimeout(), TimeUnit.MILLISECONDS, next);
        } catch (IllegalStateException stopped) {
            // the app's client
            ended(stopped);
            return;
        }
        // For a pooled connection the reactor's thread may need the turn already.
        if (!reached && !isQueued(route)) {
            connecting();
        } else if (hop.exchange().isTooLate()) {
            end();
        }
        if (given != null) {
            next.cancel();
        }
    }

    /**
     * The app's limit, or the mesh's where that is less: the only one where the library connects later, when there is a place in its pool.
     * Its reactor looks for what is late once a second.
     */
    private long connectMillis(int apps) {
        long mesh = Math.max(1, TimeUnit.NANOSECONDS.toMillis(hop.exchange().connectTimeoutNanos()));
        return apps > 0 ? Math.min(apps, mesh) : mesh;
    }

    /** Whether it may be the pool that makes this wait. What its versions call pending is what connects, or what waits for a place. */
    @SuppressWarnings("unchecked")
    private boolean isQueued(HttpRoute route) {
        if (!(connections instanceof ConnPoolControl<?> pool)) {
            return false;
        }
        PoolStats there = ((ConnPoolControl<HttpRoute>) pool).getStats(route);
        PoolStats all = pool.getTotalStats();
        return there.getPending() > 0 || there.getLeased() >= there.getMax() || all.getLeased() + all.getPending() >= all.getMax();
    }

    /** The library connects for this attempt, or the mesh has its handshake to do. */
    private void connecting() {
        if (turn.begin()) {
            boolean inTime = onConnection || limited || hop.exchange().connecting();
            limited = true;
            turn.end();
            if (!inTime) {
                end();
            }
        }
    }

    /** Of a connection; the library may tell of it before it has returned. */
    private final class Lease implements FutureCallback<NHttpClientConnection> {
        private volatile Future<NHttpClientConnection> future;

        @Override
        public void completed(NHttpClientConnection connection) {
            AsyncAttempt.this.leased(connection);
        }

        @Override
        public void failed(Exception cause) {
            ended(cause);
        }

        @Override
        public void cancelled() {
            Exception reason = given;
            ended(reason != null ? reason : new CancellationException());
        }

        void cancel() {
            Future<NHttpClientConnection> waiting = future;
            if (waiting != null) {
                waiting.cancel(true);
            }
        }
    }

    private void cancelLease() {
        Lease latest = lease;
        if (latest != null) {
            latest.cancel();
        }
    }

    private HttpRoute route() {
        return hop.routes().to(endpoint, hop.route());
    }

    private void leased(NHttpClientConnection connection) {
        leased.set(connection);
        reached = true;
        if (turn.isOver()) {
            discard();
            return;
        }
        try {
            reused = connections.isRouteComplete(connection);
            if (!reused) {
                EndpointRoutes.limit(connections, route(), hop.route());
            }
            if (reused && tls() != null && !(session(connection) instanceof SecuredSession secured && secured.lease())) {
                // Policy has taken it away meanwhile, or it is none of the mesh's.
                discard();
                lease();
                return;
            }
            if (!reused && tls() != null) {
                connecting();
            }
            if (!turn.isOver()) {
                take(connection);
            }
        } catch (ConnectionShutdownException gone) {
            ended(gone);
        }
    }

    private void take(NHttpClientConnection connection) {
        HttpContext context = connection.getContext();
        boolean stale;
        synchronized (context) {
            context.setAttribute(HttpAsyncRequestExecutor.HTTP_HANDLER, this);
            stale = connection.isStale();
            if (!stale) {
                connection.requestOutput();
            }
        }
        if (stale) {
            closedBefore();
        }
    }

    /** Nothing was sent. */
    private void closedBefore() {
        if (reused && isOfTheMesh() && !turn.isOver()) {
            discard();
            lease();
        } else {
            ended(new ConnectionClosedException("Connection closed"));
        }
    }

    private static IOSession session(NHttpClientConnection connection) {
        return ((ManagedNHttpClientConnection) connection).getIOSession();
    }

    /** @return false: the handshake is under way; the connection asks for a request once more when it is done */
    private boolean isReady(NHttpClientConnection connection) throws IOException {
        if (connections.isRouteComplete(connection)) {
            return true;
        }
        HttpRoute route = route();
        ClientTls tls = tls();
        if (tls == null) {
            connections.startRoute(connection, route, hop.clientContext());
            connections.routeComplete(connection, route, hop.clientContext());
            return true;
        }
        if (!(session(connection) instanceof SecuredSession secured)) {
            connections.startRoute(connection, route, hop.clientContext());
            socketTimeout = connection.getSocketTimeout();
            SecuredSession begun = SecuredSession.over(session(connection), endpoint);
            ((ManagedNHttpClientConnection) connection).bind(begun);
            int patience = hop.clientContext().getRequestConfig().getConnectTimeout();
            connection.setSocketTimeout(Math.max(0, patience));
            begun.initialize();
            return false;
        }
        if (!secured.isSecuredBy(tls)) {
            return false;
        }
        connection.setSocketTimeout(socketTimeout);
        connections.routeComplete(connection, route, hop.clientContext());
        return true;
    }

    // The end without a response.

    @Override
    public void failed(Exception cause) {
        if (ended(cause)) {
            return;
        }
        if (outcome == Outcome.DELIVERED && rest.last()) {
            brokeOff(hop.isCancelled() ? Failure.CANCELLED : Failure.RESET);
            done = true;
            hop.handler().failed(cause);
        }
    }

    private void brokeOff(Failure failure) {
        if (isOfTheMesh()) {
            hop.exchange().onFailure(failure);
            hop.over();
        }
    }

    /** By the app, and when all is over. */
    void giveUp() {
        given = new CancellationException();
        if (turn.last() || outcome == Outcome.DELIVERED && rest.last()) {
            brokeOff(Failure.CANCELLED);
        }
        done = true;
        cancelLease();
        discard();
    }

    /** By the mesh. */
    void end() {
        boolean asExchange = onConnection;
        Exception cause = asExchange ? new ConnectionClosedException("Connection closed unexpectedly") : late();
        given = cause;
        if (asExchange) {
            discard();
            failed(cause);
        } else {
            cancelLease();
            ended(cause);
        }
    }

    /** As the library says it: of a connection that does not come in another way than of a handshake. */
    private IOException late() {
        return reached
                ? new SocketTimeoutException("Connect timed out")
                : new ConnectException("Timeout connecting to [" + endpoint.address() + "]");
    }

    /** @return false: it has ended before */
    private boolean ended(Exception cause) {
        if (!turn.last()) {
            return false;
        }
        done = true;
        if (!hop.isCancelled()) {
            // Else there is no next attempt, and it may be the body that has cancelled the request.
            stopSending();
        }
        Failure failure = classify(cause);
        discard();
        if (isOfTheMesh()) {
            hop.failed(failure, failure == Failure.CONNECT ? unconnected(cause) : cause);
        } else {
            hop.handler().failed(cause);
        }
        return true;
    }

    /** One that can be read once, and perhaps waits for whoever writes it, is of no next attempt. */
    private void stopSending() {
        if (hop.mayResend()) {
            sending.last();
        }
    }

    /** As the library says it where no TLS is. */
    private Exception unconnected(Exception cause) {
        if (tls() == null || !reached || cause instanceof ConnectException || cause instanceof SocketTimeoutException) {
            return cause;
        }
        ConnectException failure = new ConnectException("no mesh TLS with " + endpoint.address() + ": " + cause.getMessage());
        failure.initCause(cause);
        return failure;
    }

    private Failure classify(Exception cause) {
        if (hop.isCancelled() || broken || !(cause instanceof IOException || cause instanceof HttpException)) {
            return Failure.CANCELLED;
        }
        if (!onConnection) {
            return Failure.CONNECT;
        }
        return cause instanceof SocketTimeoutException ? Failure.TIMEOUT : Failure.RESET;
    }

    /** The connection is of no use any more. From any thread. */
    private void discard() {
        NHttpClientConnection connection = leased.getAndSet(null);
        if (connection == null) {
            return;
        }
        try {
            connection.shutdown();
        } catch (IOException gone) {
            // That is all that is asked for.
            return;
        } finally {
            connections.releaseConnection(connection, null, 0, TimeUnit.MILLISECONDS);
        }
    }

    /** @param validMillis null: it is to be closed */
    void release(Long validMillis) {
        NHttpClientConnection connection = leased.getAndSet(null);
        if (connection == null) {
            return;
        }
        connection.getContext().removeAttribute(HttpAsyncRequestExecutor.HTTP_HANDLER);
        if (validMillis != null && isGood(connection)) {
            Object state = EndpointRoutes.state(tls(), hop.clientContext().getUserToken());
            connections.releaseConnection(connection, state, validMillis, TimeUnit.MILLISECONDS);
            return;
        }
        try {
            connection.close();
        } catch (IOException gone) {
            // That is all that is asked for.
            return;
        } finally {
            connections.releaseConnection(connection, null, 0, TimeUnit.MILLISECONDS);
        }
    }

    private static boolean isGood(NHttpClientConnection connection) {
        return !(session(connection) instanceof SecuredSession secured) || secured.giveBack();
    }

    // The request, on the reactor's thread.

    @Override
    public HttpRequest generateRequest() throws IOException, HttpException {
        NHttpClientConnection connection = leased.get();
        if (connection == null || turn.isOver()) {
            return null;
        }
        if (!isOfTheMesh()) {
            return hop.handler().generateRequest();
        }
        if (!isReady(connection)) {
            return null;
        }
        if (tls() != null && !(session(connection) instanceof SecuredSession secured && secured.isSecuredBy(tls()))) {
            throw new ConnectException("mesh TLS to " + endpoint + " is not in place");
        }
        if (!turn.begin()) {
            return null;
        }
        onConnection = true;
        boolean inTime = hop.exchange().connected();
        turn.end();
        if (!inTime) {
            throw new SocketTimeoutException("too late to send");
        }
        hop.connection().appliesTo(connection);
        return wire;
    }

    @Override
    public void produceContent(ContentEncoder to, IOControl control) throws IOException {
        if (!isOfTheMesh()) {
            hop.handler().produceContent(to, control);
            return;
        }
        if (!sending.begin()) {
            return;
        }
        touched = true;
        WatchedEncoder watched = watched(to);
        try {
            hop.handler().produceContent(watched, control);
        } catch (IOException | RuntimeException e) {
            broken = e != watched.lost();
            throw e;
        } finally {
            sending.end();
        }
    }

    private WatchedEncoder watched(ContentEncoder to) {
        WatchedEncoder known = encoder;
        if (known == null || !known.isOf(to)) {
            known = WatchedEncoder.of(to, hop.exchange());
            encoder = known;
        }
        return known;
    }

    @Override
    public void requestCompleted() {
        if (!isOfTheMesh()) {
            hop.handler().requestCompleted();
            return;
        }
        tellExchange(outcome == Outcome.DELIVERED ? rest : turn);
        hop.tellSent();
    }

    private void tellExchange(Turn in) {
        if (in.begin()) {
            hop.exchange().requestSent();
            in.end();
        }
    }

    // The response, on the reactor's thread.

    @Override
    public void responseReceived(HttpResponse response) throws IOException, HttpException {
        if (!turn.last()) {
            throw new ConnectionClosedException("the attempt is over");
        }
        if (!isOfTheMesh()) {
            outcome = Outcome.DELIVERED;
            hop.handler().responseReceived(response);
            return;
        }
        boolean again = hop.exchange().onResponse(
                        response.getStatusLine().getStatusCode(), name -> MessageHeaders.joined(response, name))
                && !hop.isCancelled();
        if (again) {
            outcome = Outcome.DROPPED;
            done = true;
            stopSending();
            // with the connection: how much body follows is not known
            discard();
            hop.again();
            return;
        }
        outcome = Outcome.DELIVERED;
        NHttpClientConnection connection = leased.get();
        if (connection != null && !connection.isRequestSubmitted()) {
            // Answered before its end, it is sent no further, of which the library tells nobody.
            tellExchange(rest);
        }
        new MessageHeaders(response).changeResponse(hop.exchange().responseChanges());
        hop.handler().responseReceived(response);
    }

    @Override
    public void consumeContent(ContentDecoder from, IOControl control) throws IOException {
        if (outcome != Outcome.DELIVERED || rest.isOver()) {
            throw new ConnectionClosedException("the attempt is over");
        }
        if (!isOfTheMesh()) {
            hop.handler().consumeContent(from, control);
            return;
        }
        WatchedDecoder known = decoder;
        if (known == null) {
            known = WatchedDecoder.of(from, hop.exchange());
            decoder = known;
            input = new WatchedInput(control, hop.exchange());
        }
        input.tells();
        try {
            hop.handler().consumeContent(known, input);
        } finally {
            input.told();
        }
    }

    @Override
    public void responseCompleted() throws IOException, HttpException {
        if (outcome != Outcome.DELIVERED || !rest.last()) {
            return;
        }
        done = true;
        if (isOfTheMesh()) {
            hop.over();
        }
        hop.handler().responseCompleted();
    }

    // The connection's own.

    /** The endpoint has closed it before it was sent anything. */
    @Override
    public void inputTerminated() {
        if (!turn.isOver()) {
            closedBefore();
        } else if (outcome == Outcome.DELIVERED) {
            hop.handler().inputTerminated();
        }
    }

    @Override
    public boolean isDone() {
        return done;
    }

    /** It is closed. */
    @Override
    public void close() {
        failed(new ConnectionClosedException("Connection closed unexpectedly"));
    }

    /** The app cancels the library's own. */
    @Override
    public boolean cancel() {
        return false;
    }
}
