package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Demand;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.Turn;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.ConnectExceptionSupport;
import org.apache.hc.client5.http.HttpHostConnectException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.H2Error;
import org.apache.hc.core5.http2.H2StreamResetException;

/**
 * One attempt of a hop: leases a connection, connects it if need be, and is the message exchange on it.
 *
 * <p>Thread rule: what comes from the connection comes on the reactor's thread, the app's body perhaps from another one of the app's, and
 * the end by the app or the mesh from any. {@link #turn} keeps apart who speaks to the exchange until a response is there, {@link #rest}
 * from then on, and {@link #sending} keeps the end from the middle of the app's body, which the next attempt may want to begin again.
 */
final class AsyncAttempt implements AsyncClientExchangeHandler {
    private enum Outcome { NONE, DROPPED, DELIVERED }

    /** What is waited for. */
    private static final class Stage {
        private volatile Cancellable cancellable;
    }

    private final AsyncHop hop;
    private final HttpRequest wire;
    private final AsyncExecRuntime connections;

    /** Null: no policy names where it goes. */
    private final Endpoint endpoint;

    private final AsyncDial dial;

    /** Null: the connection is the attempt's own. */
    private final Http2Stream stream;

    /** On the reactor's thread. */
    private boolean overHttp2;

    private final Turn turn = new Turn();
    private final Turn sending = new Turn();

    /** Of a response that the app gets; over when its body is. */
    private final Turn rest = new Turn();

    /** Both: the app gets the response, and all of the request has gone out. Whoever finds it so first tells the library. */
    private final AtomicBoolean toldSent = new AtomicBoolean();

    private volatile Stage stage;

    /** Null: nobody has ended it. */
    private volatile Exception given;

    private volatile boolean onConnection;
    private volatile boolean touched;

    /** It was the app's own body that failed. */
    private volatile boolean broken;

    /** What ended the connection while the body was written to it; null: nothing. */
    private volatile IOException lost;

    private volatile boolean sent;
    private volatile Outcome outcome = Outcome.NONE;

    /** The mesh has broken off the response, and the app has been told. */
    private volatile boolean stopped;

    /** For the channel that the library has given last. */
    private Watched watched;

    /** What the library takes at first it takes without asking the app. */
    private final Demand demand = new Demand(Long.MAX_VALUE);

    private WatchedCapacity capacity;

    AsyncAttempt(AsyncHop hop, Endpoint endpoint, HttpRequest wire) {
        this.hop = hop;
        this.endpoint = endpoint;
        this.wire = wire;
        this.connections = hop.connections();
        this.dial = endpoint == null ? null : new AsyncDial(endpoint, hop.speaksHttp2Alone());
        this.stream = hop.speaksHttp2Alone() ? new Http2Stream(hop.internals(), hop.dialing()) : null;
    }

    /** Null: plaintext. */
    ClientTls tls() {
        return endpoint == null ? null : endpoint.tls();
    }

    /** The next attempt has to begin with the body again. */
    boolean hasTouchedBody() {
        return touched;
    }

    private boolean isOfTheMesh() {
        return endpoint != null;
    }

    // To a connection.

    void start() {
        HttpRoute apps = hop.scope().route;
        boolean http2Alone = isOfTheMesh() && stream != null;
        HttpRoute route = !isOfTheMesh() ? apps : http2Alone ? EndpointRoute.overHttp2Alone(endpoint, apps) : EndpointRoute.to(endpoint, apps);
        Object state = EndpointRoute.state(tls(), hop.scope().clientContext.getUserToken());
        // The pool of such a client connects by itself.
        if (http2Alone && !isInTimeToConnect()) {
            return;
        }
        Stage leasing = begin();
        AsyncDial outer = hop.dialing().begin(http2Alone ? dial : null);
        try {
            leasing.cancellable = connections.acquireEndpoint(hop.id(), route, state, hop.scope().clientContext, new Step() {
                @Override
                public void completed(AsyncExecRuntime runtime) {
                    leased(route);
                }
            });
        } catch (IllegalStateException stopped) {
            // the app's client
            ended(stopped);
            return;
        } finally {
            hop.dialing().end(outer);
        }
        cancelIfGivenUp(leasing);
    }

    private void leased(HttpRoute route) {
        if (given != null) {
            ended(given);
        } else if (tls() != null && hop.dialing().isOutdated()) {
            connections.discardEndpoint();
            start();
        } else if (connections.isEndpointConnected()) {
            send();
        } else {
            connect(route);
        }
    }

    private void connect(HttpRoute route) {
        if (isOfTheMesh()) {
            EndpointRoute.limit(hop.internals().manager(connections), route, hop.scope().route);
            if (stream == null) {
                // Else it may be another's that is waited for.
                dial.begins();
            }
            if (!isInTimeToConnect()) {
                return;
            }
        }
        Stage connecting = begin();
        AsyncDial outer = hop.dialing().begin(dial);
        try {
            connecting.cancellable = connections.connectEndpoint(hop.scope().clientContext, new Step() {
                @Override
                public void completed(AsyncExecRuntime runtime) {
                    send();
                }

                @Override
                public void failed(Exception cause) {
                    super.failed(named(cause, route.getTargetHost()));
                }
            });
        } catch (IllegalStateException stopped) {
            ended(stopped);
            return;
        } finally {
            hop.dialing().end(outer);
        }
        cancelIfGivenUp(connecting);
    }

    private boolean isInTimeToConnect() {
        if (!turn.begin()) {
            return false;
        }
        boolean inTime = hop.exchange().connecting();
        turn.end();
        if (!inTime) {
            ended(new SocketTimeoutException("Connect timed out"));
        }
        return inTime;
    }

    private void send() {
        if (given != null) {
            ended(given);
            return;
        }
        if (isOfTheMesh()) {
            if (!dial.isAsPolicyWants() || tls() != null && !(stream != null ? hop.isHttp2Secured() : connections.isEndpointConnected())) {
                ended(new ConnectException("mesh TLS to " + endpoint + " is not in place"));
                return;
            }
            if (stream != null && tls() != null && !stream.lease(connections)) {
                connections.releaseEndpoint();
                start();
                return;
            }
            onConnection = true;
            if (!turn.begin()) {
                giveBack();
                return;
            }
            boolean inTime = hop.exchange().connected();
            turn.end();
            if (!inTime) {
                ended(new SocketTimeoutException("too late to send"));
                return;
            }
        }
        Stage executing = begin();
        // The library connects once more by itself if it finds the connection closed.
        AsyncDial outer = hop.dialing().begin(dial);
        try {
            executing.cancellable = connections.execute(hop.id(), this, hop.scope().clientContext);
        } catch (RuntimeException e) {
            ended(e);
            return;
        } finally {
            hop.dialing().end(outer);
        }
        Exception by = given;
        if (by != null && hop.isCancelled()) {
            executing.cancellable.cancel();
        } else if (by != null) {
            stop(by);
        }
    }

    /** As where an address was looked up: some versions leave it as it is when they are given one. */
    private Exception named(Exception cause, HttpHost host) {
        return !isOfTheMesh() || cause instanceof HttpHostConnectException || !(cause instanceof ConnectException failed)
                ? cause
                : ConnectExceptionSupport.enhance(failed, host, host.getAddress());
    }

    private Stage begin() {
        Stage next = new Stage();
        stage = next;
        return next;
    }

    private void cancelIfGivenUp(Stage waiting) {
        if (given != null && stage == waiting) {
            waiting.cancellable.cancel();
        }
    }

    /** Of waiting for a connection. */
    private abstract class Step implements FutureCallback<AsyncExecRuntime> {
        @Override
        public void failed(Exception cause) {
            ended(cause);
        }

        @Override
        public void cancelled() {
            ended(new InterruptedIOException());
        }
    }

    // The end without a response.

    /** By the app. What is sent already goes on if the app's configuration says so. */
    void giveUp() {
        Exception cause = new InterruptedIOException();
        given = cause;
        if (stream != null && onConnection) {
            // The library does not tell the peer, or waits for its next word.
            ended(cause);
        }
        cancelStage();
    }

    /** By the mesh. */
    void end() {
        boolean asExchange = onConnection;
        Exception cause = asExchange ? new ConnectionClosedException("Connection reset") : new SocketTimeoutException("Connect timed out");
        given = cause;
        if (asExchange) {
            stop(cause);
        } else {
            cancelStage();
        }
    }

    private void cancelStage() {
        if (dial != null) {
            dial.giveUp();
        }
        Stage waiting = stage;
        Cancellable underWay = waiting == null ? null : waiting.cancellable;
        if (underWay != null) {
            underWay.cancel();
        }
    }

    /** While it is the message exchange on a connection. */
    private void stop(Exception cause) {
        if (turn.last()) {
            fail(cause);
        } else if (outcome == Outcome.DELIVERED && rest.last()) {
            stopped = true;
            leave();
            hop.exchange().onFailure(Failure.RESET);
            hop.over();
            hop.handler().failed(cause);
        }
    }

    private void ended(Exception cause) {
        if (turn.last()) {
            fail(given != null ? given : cause);
        }
    }

    private void fail(Exception cause) {
        if (!hop.isCancelled()) {
            // Else there is no next attempt, and it may be the body that has cancelled the request.
            sending.last();
        }
        leave();
        hop.failed(classify(cause), cause);
    }

    private void leave() {
        if (stream == null) {
            connections.discardEndpoint();
            return;
        }
        stream.reset();
        Stage executing = stage;
        if (onConnection && executing != null && executing.cancellable != null) {
            executing.cancellable.cancel();
        }
        connections.releaseEndpoint();
        giveBack();
    }

    private void giveBack() {
        if (stream != null) {
            stream.giveBack();
        }
    }

    private Failure classify(Exception cause) {
        if (hop.isCancelled() || broken) {
            return Failure.CANCELLED;
        }
        if (cause instanceof ConnectException || cause instanceof NoRouteToHostException || cause instanceof UnknownHostException) {
            return Failure.CONNECT;
        }
        if (cause instanceof SocketTimeoutException) {
            return onConnection ? Failure.TIMEOUT : Failure.CONNECT;
        }
        if (cause instanceof H2StreamResetException reset) {
            return reset.getCode() == H2Error.REFUSED_STREAM.getCode() ? Failure.REFUSED : Failure.RESET;
        }
        if (stream != null && onConnection && given == null && endsConnection(cause)) {
            return stream.hasBegun() ? Failure.RESET : Failure.CONNECT;
        }
        if (cause instanceof InterruptedIOException || !(cause instanceof IOException || cause instanceof HttpException)) {
            return Failure.CANCELLED;
        }
        return onConnection ? Failure.RESET : Failure.CONNECT;
    }

    /** Of others, too: the library has a name of its own for that in each version, and one more for whoever waits for a stream. */
    private static boolean endsConnection(Exception cause) {
        return cause instanceof IOException || cause instanceof HttpException || cause instanceof CancellationException;
    }

    // The request.

    /** The library makes a stream for it, if it speaks HTTP/2. */
    void begins(Cancellable channel) {
        overHttp2 = true;
        if (stream != null) {
            stream.begins(channel);
        }
    }

    @Override
    public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
        if (turn.isOver() && stream != null && stream.drop()) {
            return;
        }
        if (turn.isOver()) {
            throw new ConnectionClosedException("the attempt is over");
        }
        if (isOfTheMesh() && !dial.isAsPolicyWants()) {
            throw new ConnectException("mesh TLS to " + endpoint + " is not in place");
        }
        if (wire == hop.request()) {
            channel.sendRequest(wire, hop.details(), context);
        } else {
            sendChanged(channel, context);
        }
        if (stream != null) {
            stream.sent();
            if (turn.isOver()) {
                stream.reset();
            }
        }
    }

    private void sendChanged(RequestChannel channel, HttpContext context) throws HttpException, IOException {
        if (overHttp2 && wire.getAuthority() != hop.request().getAuthority()) {
            // It is the authority there, and HttpCore 5.2 sends no request that has both.
            wire.removeHeaders(HttpHeaders.HOST);
        }
        int known = wire.getHeaders().length;
        try {
            channel.sendRequest(wire, hop.details(), context);
        } finally {
            hop.sees(wire, known);
        }
    }

    @Override
    public int available() {
        return hop.body().available();
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        if (!sending.begin()) {
            return;
        }
        touched = true;
        AsyncEntityProducer body = hop.body();
        try {
            body.produce(watched(channel));
        } catch (IOException | RuntimeException e) {
            broken = e != lost;
            throw e;
        } finally {
            sending.end();
        }
    }

    private Watched watched(DataStreamChannel channel) {
        Watched known = watched;
        if (known == null || known.channel != channel) {
            known = new Watched(channel);
            watched = known;
        }
        return known;
    }

    /** Where the body goes, with an eye on how it goes out. */
    private final class Watched implements DataStreamChannel {
        private final DataStreamChannel channel;

        Watched(DataStreamChannel channel) {
            this.channel = channel;
        }

        @Override
        public void requestOutput() {
            channel.requestOutput();
        }

        @Override
        public int write(ByteBuffer src) throws IOException {
            int written;
            try {
                written = channel.write(src);
            } catch (IOException e) {
                lost = e;
                throw e;
            }
            if (written > 0 && isOfTheMesh()) {
                hop.exchange().bytesSent(written);
            }
            return written;
        }

        @Override
        public void endStream() throws IOException {
            channel.endStream();
            sent();
        }

        @Override
        public void endStream(List<? extends Header> trailers) throws IOException {
            channel.endStream(trailers);
            sent();
        }
    }

    private void sent() throws IOException {
        tellExchange(turn);
        sent = true;
        tellSent();
    }

    private void tellSent() throws IOException {
        if (sent && outcome == Outcome.DELIVERED && toldSent.compareAndSet(false, true)) {
            // Again, since there may have been no turn any more.
            tellExchange(rest);
            hop.tellSent();
        }
    }

    private void tellExchange(Turn in) {
        if (isOfTheMesh() && in.begin()) {
            hop.exchange().requestSent();
            in.end();
        }
    }

    // The response.

    @Override
    public void consumeInformation(HttpResponse response, HttpContext context) throws HttpException, IOException {
        if (!turn.isOver()) {
            hop.handler().consumeInformation(response, context);
        }
    }

    @Override
    public void consumeResponse(HttpResponse response, EntityDetails details, HttpContext context) throws HttpException, IOException {
        if (!turn.last()) {
            throw new ConnectionClosedException("the attempt is over");
        }
        boolean again = isOfTheMesh()
                && hop.exchange().onResponse(response.getCode(), name -> MessageHeaders.joined(response, name))
                && !hop.isCancelled();
        if (again) {
            outcome = Outcome.DROPPED;
            sending.last();
            if (details == null && stream != null && (sent || hop.body() == null)) {
                stream.over();
            }
            // with the connection or the stream: how much body follows is not known
            leave();
            hop.again();
            return;
        }
        outcome = Outcome.DELIVERED;
        if (isOfTheMesh()) {
            new MessageHeaders(response).changeResponse(hop.exchange().responseChanges());
        }
        if (details == null) {
            over();
        }
        if (response.getCode() >= HttpStatus.SC_REDIRECTION && stream == null) {
            // Answered so before its end, it is sent no further, of which the library tells nobody; up to HttpCore 5.4.2 only from 400 on.
            tellExchange(rest);
        }
        tellSent();
        hop.handler().consumeResponse(response, details, context);
    }

    /** Whether what comes is for the app. */
    private boolean isDelivered() {
        return outcome == Outcome.DELIVERED && !stopped;
    }

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
        if (!isDelivered()) {
            channel.update(Integer.MAX_VALUE);
        } else if (!isOfTheMesh()) {
            hop.handler().updateCapacity(channel);
        } else {
            // Until the app has room again.
            demand.pauses(hop.exchange());
            hop.handler().updateCapacity(watched(channel));
        }
    }

    private WatchedCapacity watched(CapacityChannel channel) {
        WatchedCapacity known = capacity;
        if (known == null || !known.isOf(channel)) {
            known = new WatchedCapacity(channel, demand, hop.exchange());
            capacity = known;
        }
        return known;
    }

    @Override
    public void consume(ByteBuffer src) throws IOException {
        if (!isDelivered()) {
            src.position(src.limit());
        } else if (!isOfTheMesh()) {
            hop.handler().consume(src);
        } else {
            hop.exchange().bytesReceived(src.remaining());
            demand.tells(hop.exchange(), 1);
            try {
                hop.handler().consume(src);
            } finally {
                demand.told(hop.exchange());
            }
        }
    }

    @Override
    public void streamEnd(List<? extends Header> trailers) throws HttpException, IOException {
        if (isDelivered()) {
            over();
            hop.handler().streamEnd(trailers);
        }
    }

    @Override
    public void failed(Exception cause) {
        if (stream != null) {
            stream.over();
        }
        if (turn.last()) {
            fail(cause);
        } else if (isDelivered()) {
            breaksOff(hop.isCancelled() ? Failure.CANCELLED : Failure.RESET);
            if (stream != null && isOfTheMesh()) {
                // Else the library closes it with all that others have on it.
                connections.releaseEndpoint();
            }
            hop.handler().failed(cause);
        }
    }

    private void breaksOff(Failure failure) {
        if (!rest.last()) {
            return;
        }
        giveBack();
        if (isOfTheMesh()) {
            hop.exchange().onFailure(failure);
        }
        hop.over();
    }

    private void over() {
        if (rest.last()) {
            giveBack();
            hop.over();
        }
    }

    /** By the library, which the app has told so. */
    @Override
    public void cancel() {
        if (turn.last()) {
            fail(new InterruptedIOException());
        } else if (isDelivered()) {
            breaksOff(Failure.CANCELLED);
            hop.handler().cancel();
        }
    }

    @Override
    public void releaseResources() {
        if (isDelivered()) {
            over();
            hop.handler().releaseResources();
        }
    }
}
