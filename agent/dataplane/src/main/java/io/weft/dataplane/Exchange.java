package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.Destination;
import io.weft.dataplane.route.RetryRule;
import io.weft.dataplane.route.RouteEntry;
import io.weft.dataplane.route.TimeoutRule;
import io.weft.policy.model.RoutingPriority;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.List;

/**
 * One request that the app sends, from the first decision to the last byte of the response. A library's adapter extends it:
 * the read-only view of the request and what the mesh decides about it are one object.
 *
 * <p>An adapter drives it so:
 * <pre>
 * if (!outbound.claims(exchange)) → leave the request alone
 * do switch (exchange.next()) {
 *     case WAIT  → wait exchange.backoffNanos(), then ask again
 *     case REPLY → give the app exchange.reply() as the response
 *     case DIAL  → send to exchange.endpoint() with exchange.requestChanges()
 *                  response head: exchange.onResponse(status, header) says deliver or try again
 *                  failure:       exchange.onFailure(failure) says rethrow or try again
 * } while (try again, after exchange.backoffNanos())
 * exchange.end() once the response's body is over, failed or given up
 * </pre>
 *
 * <p>Time limits are the exchange's own business; the adapter lends it a hand:
 * <ul>
 *   <li>it connects within {@link #connectTimeoutNanos}, or within the app's own limit where that is less; where its library cannot
 *       limit the one attempt, it says {@link #connecting}
 *   <li>it says {@link #connected}, with what {@link #abort} needs already in place, before it sends, also on a connection that was
 *       kept alive; false means that a limit is over: {@link #onFailure} is next
 *   <li>it says {@link #requestSent} after the last byte of a request that was not {@link #isComplete} before
 *   <li>it says {@link #bytesSent} and {@link #bytesReceived} as often as bodies move on, which costs nothing without a limit that
 *       asks for it
 *   <li>{@link #abort} closes the connection or resets the stream of the attempt under way, or of the response whose body is
 *       being read. To the attempt it is a failure like any other, which {@link #onFailure} knows to be the limit's; what follows
 *       may be {@link Step#REPLY}
 * </ul>
 *
 * <p>Used by one thread at a time; whoever hands it to another thread does so with a happens-before edge.
 */
public abstract class Exchange extends Limited {

    /** Whether the body can be sent again. */
    public enum Replay { NO_BODY, REPEATABLE, ONE_SHOT }

    /** What to do for the next attempt. */
    public enum Step { DIAL, REPLY, WAIT }

    /** How an attempt failed, as far as retrying tells failures apart. */
    public enum Failure {
        /** No connection: nothing of the request was sent. */
        CONNECT,
        /** The connection ended before the response head; {@link #REFUSED} when the peer said that it did nothing. */
        RESET,
        /** HTTP/2 REFUSED_STREAM, or GOAWAY with a lower stream id. */
        REFUSED,
        /** No response head within the time that the app allows: held against the endpoint, but the app's wait is over. */
        TIMEOUT,
        /** Cancelled or interrupted by the app: never retried, never held against the endpoint. */
        CANCELLED,
        /** A time limit of the policy for one attempt is over. Found out by the exchange, not for adapters to say. */
        ATTEMPT_TIMEOUT,
        /** The policy's time limit for the whole is over. Found out by the exchange, not for adapters to say. */
        REQUEST_TIMEOUT,
        /** A stream to the cluster may last no longer. Found out by the exchange, not for adapters to say. */
        MAX_DURATION
    }

    public abstract Replay replay();

    /** Whether a header's name may begin with {@code x-envoy-}. Asked once; an adapter that can tell cheaply does. */
    protected boolean hasEnvoyHeaders() {
        return true;
    }

    /**
     * Whether the app has all of the request ready when the first attempt is made. If so, the time for a response counts from
     * then on, else from {@link #requestSent}.
     */
    protected boolean isComplete() {
        return replay() != Replay.ONE_SHOT;
    }

    /**
     * Whether the app itself reads the response's body from the connection, when it likes, so that between two reads nobody waits for the
     * endpoint. An adapter that says so says {@link #awaitsBytes} before each read; one whose app asks for bytes and is told of them says
     * {@link #awaitsNothing}, too, instead.
     */
    protected boolean isRead() {
        return false;
    }

    /**
     * A copy of the request for a mirror: asked for once, when the request {@link #isComplete}, or else when it is {@link #connected}.
     * It must cost the app nothing that it could notice: no body is read that can be read only once, or from a disk or a network.
     *
     * @param maxBodyBytes at least 0
     * @return null when the body cannot be had so, or is longer
     */
    protected RequestCopy copy(int maxBodyBytes) {
        return null;
    }

    @Override
    public long bodyLength() {
        return replay() == Replay.NO_BODY ? 0 : -1;
    }

    /** The library streams a body of unknown length by itself. */
    @Override
    public final void limitRequestBody(long bytes) {
        if (bodyLength() < 0 && layers.notices.isNew("body limits")) {
            layers.notices.notice("a request to " + upstreamCluster() + " may have a body of " + bytes + " bytes, and its length is not "
                    + "known before it is sent: it is not limited; others like it are not said");
        }
    }

    /**
     * {@inheritDoc} An adapter that cannot end anything leaves it as it is; then a limit is over for it only when what is under way
     * ends by itself.
     */
    @Override
    protected void abort() {}

    /** Whether several attempts may be under way at once, so that {@link #hedge} can be asked for. */
    protected boolean canHedge() {
        return false;
    }

    /**
     * A further attempt is to begin beside those that are under way. The adapter drives it as it drives this exchange, from
     * {@link #next} to {@link #end}, and drops the outcome of whichever {@link #isOutdone}. On the timer thread: it must neither block
     * nor throw, and makes the attempt elsewhere.
     */
    protected void hedge(HedgedAttempt further) {
        throw new UnsupportedOperationException("no second attempt at once");
    }

    // The rest is the data plane's: the layers read and write these fields.

    ClientLayers layers;
    /** Null: the virtual host has no route for the request. */
    RouteEntry route;
    Destination destination;
    /** Null: no such cluster, or none is known yet. */
    ClusterView cluster;
    /** No cluster is known, and policy has some that want to be secured. */
    boolean perhapsSecured;
    RetryRule retry;
    RoutingPriority priority = RoutingPriority.DEFAULT;

    /** Whether {@link #hash} is the request's own; else each choice is a random one. */
    boolean hashed;
    long hash;
    /** The endpoints that headers name and that are still to be tried; null: not looked at. */
    ArrayDeque<String> namedHosts;

    /** 1 for the first, 0 before it. */
    int attempt;
    /** The last attempt that was to have an endpoint: none that a filter or a time limit has answered before. */
    int begun;
    Host host;
    /** What the host's was when the attempt began: with each new certificate the host has another one. */
    Endpoint endpoint;
    /** Where attempts of this exchange failed; null before they did. Two fields, so that the usual retry makes no list. */
    Host firstFailed;
    Host secondFailed;
    /** Where the third and further ones failed; null before. */
    List<Host> moreFailed;
    /** Those of all of them that could not be connected to; null before the first. */
    List<Host> unreachableHosts;
    RequestChanges requestChanges = RequestChanges.NONE;
    /** Null: none, or none any more. */
    DueMirrors mirrors;
    /** What a hash policy gives the app with the response. */
    List<String> newCookies = List.of();

    /** Null: no limit. */
    TimeoutRule timeouts;
    /** Of all attempts together; 0: no limit. */
    long requestNanos;
    /** Nothing more of the request is to come from the app. */
    boolean requestSent;
    /** The answer when a limit ended what there was; null: none did. */
    LocalReply overdue;
    /** The request wants 204 in place of a 504. */
    boolean alternativeToTimeout;
    /** The attempt under way has its connection. */
    boolean onConnection;

    /** How the attempt ended: 0 when it failed. */
    int status;
    /** Null when a response head came. */
    Failure failure;
    ResponseHeaders responseHeaders;
    /** The retry layer's decision, which layers outside it may take back. */
    boolean again;
    long backoffNanos;
    /** How often the exponential back-off was used. */
    int backOffs;

    /** The endpoint is asked how busy it is, and not because the app wants to know. */
    boolean loadAsked;

    /** Null: no attempt begins beside another, and the layers are those that know nothing of it. */
    Lane lane;

    /** Null: nobody asked how it is decided. */
    Decision decision;

    /** A filter holds the request up: no attempt was made, and the next one is still the first. */
    boolean waiting;

    // What layers hold for this exchange until they release it.
    boolean hostHeld;
    boolean admitted;
    boolean retryHeld;

    private static final InetSocketAddress THIS_APP = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    // Numbers, since to write a reference costs a barrier of the garbage collector's. For that reason layers also leave fields alone
    // that have the value already.
    private static final int NEW = 0;
    private static final int READY = 1;
    private static final int UNDER_WAY = 2;
    private static final int OVER = 3;

    private int phase = NEW;

    final void claimed(ClientLayers by) {
        layers = by;
        phase = READY;
    }

    /**
     * Decides about the next attempt.
     *
     * @throws IllegalStateException if the exchange is not claimed, or an attempt is under way, or the last one is not to be
     *     tried again
     */
    public final Step next() {
        if (phase != READY) {
            throw new IllegalStateException("no attempt is due");
        }
        attempt++;
        onConnection = false;
        again = false;
        waiting = false;
        if (layers.attempt(this)) {
            phase = UNDER_WAY;
            return Step.DIAL;
        }
        if (waiting) {
            attempt--;
            return Step.WAIT;
        }
        over();
        return Step.REPLY;
    }

    @Override
    public final String upstreamCluster() {
        return destination == null ? null : destination.clusterName(this);
    }

    @Override
    public String protocol() {
        return "HTTP/1.1";
    }

    @Override
    public final int responseCode() {
        return status != 0 ? status : reply == null ? 0 : reply.status();
    }

    @Override
    public final RequestHead sentHead() {
        return SentRequest.of(this, requestChanges);
    }

    @Override
    public final String routeName() {
        return route == null ? null : route.name();
    }

    @Override
    public final InetSocketAddress upstreamHost() {
        return host == null ? null : host.endpoint().address();
    }

    @Override
    public final int attemptCount() {
        return begun;
    }

    /** The app itself, as a proxy beside it would see it over loopback. */
    @Override
    public final InetSocketAddress downstreamRemote() {
        return THIS_APP;
    }

    /** What the route changes of every response that takes it, its own answers excepted: they are made with the changes. */
    @Override
    final ResponseChanges routeResponseChanges(Headers response) {
        if (destination == null) {
            return ResponseChanges.NONE;
        }
        RequestHead sent = sentHead();
        if (newCookies.isEmpty()) {
            return destination.responseChanges(sent, response, this);
        }
        HeaderOverlay headers = new HeaderOverlay(response);
        newCookies.forEach(cookie -> headers.append("set-cookie", cookie));
        headers.apply(destination.responseChanges(sent, headers, this));
        return headers.responseChanges();
    }

    @Override
    public final String upstreamAddress() {
        return host == null ? null : host.address();
    }

    /**
     * Where to connect, after {@link Step#DIAL}: the same for all of the attempt, whatever policy brings meanwhile. It is held for as long as the
     * exchange, so that what an adapter keeps for an endpoint is no request's any more once nothing refers to the endpoint.
     */
    public final Endpoint endpoint() {
        return endpoint;
    }

    /** What to send instead of the app's own request, after {@link Step#DIAL}; {@link RequestChanges#NONE} mostly. */
    public final RequestChanges requestChanges() {
        return requestChanges;
    }

    /** The answer that the mesh gives itself, after {@link Step#REPLY}. */
    public final LocalReply reply() {
        return reply;
    }

    /**
     * Header changes for the response that the app is given, once {@link #onResponse} has said that it is.
     * {@link ResponseChanges#NONE} mostly, and after {@link Step#REPLY}: the reply has them.
     */
    public final ResponseChanges responseChanges() {
        return responseChanges;
    }

    /**
     * Whether the library may send the request by itself after a fault of the agent: not where policy wants it secured or, as long as
     * the cluster is not known, may want that, and not once the mesh has an answer to it. Also after {@link Outbound#claims} has failed.
     */
    public final boolean mayFailOpen() {
        if (reply != null) {
            return false;
        }
        if (host != null) {
            return host.endpoint().tls() == null;
        }
        return cluster == null ? !perhapsSecured : !cluster.secures();
    }

    /**
     * Whether another attempt may follow this one, so that what of the request is sent now may be needed again. After
     * {@link Step#DIAL}.
     */
    public final boolean mayBeTriedAgain() {
        return retry != null && attempt <= retry.retries();
    }

    /** Bytes that a body may have to be kept for another attempt, where the library must keep it. After {@link Step#DIAL}. */
    public final long resendLimit() {
        return ((RouteEntry.Forward) route).resend().copyLimit();
    }

    /** How long connecting may take; a longer one is a {@link Failure#CONNECT}. After {@link Step#DIAL}. */
    public final long connectTimeoutNanos() {
        return cluster.connectTimeoutNanos();
    }

    /**
     * The library opens a connection for the attempt, and {@link #abort} is to end it after {@link #connectTimeoutNanos} unless it is
     * {@link #connected} by then. Not for an attempt that waits for a place in the library's pool: that is the app's own limit, and the
     * endpoint has no part in it.
     *
     * @return false: a time limit is over already; say {@link #onFailure}
     */
    public final boolean connecting() {
        if (phase != UNDER_WAY || this.status != 0) {
            return true;
        }
        if (!watchOff()) {
            return false;
        }
        arm(TimeLimit.CONNECT_TIMEOUT, connectTimeoutNanos(), layers.deadlines.clock().nanoTime());
        layers.deadlines.watch(this);
        return true;
    }

    /**
     * Whether a time limit has ended the attempt under way. For adapters that do not say that they are {@link #connecting}: to be asked once
     * {@link #abort} finds the attempt, and what it may have missed before that is then to be ended. From any thread.
     */
    public final boolean isTooLate() {
        return isEnded();
    }

    /**
     * Whether it was its connection that took the attempt too long which {@link #abort} has ended, and not the request as a whole. Before
     * {@link #onFailure}, in what {@link #abort} has led to.
     */
    public final boolean isConnectionLate() {
        return expired() == TimeLimit.CONNECT_TIMEOUT;
    }

    /**
     * The connection that the attempt was {@link #connecting} for is there, and is not to be ended for that any more. For libraries that
     * connect before the app has written its request, which may be long before they are {@link #connected}.
     *
     * @return false: a time limit is over; say {@link #onFailure}
     */
    public final boolean established() {
        if (!isArmed(TimeLimit.CONNECT_TIMEOUT)) {
            return true;
        }
        if (!watchOff()) {
            return false;
        }
        disarm(TimeLimit.CONNECT_TIMEOUT);
        layers.deadlines.watch(this);
        return true;
    }

    /**
     * The attempt has its connection.
     *
     * @return false: a time limit is over; send nothing, and say {@link #onFailure}
     */
    public final boolean connected() {
        if (phase != UNDER_WAY || this.status != 0) {
            return true;
        }
        // As in onResponse: a watch under which no limit changes is kept.
        boolean watched = isWatched() && !isArmed(TimeLimit.CONNECT_TIMEOUT) && !Deadline.limitsAttempts(this);
        if (!watched && !watchOff()) {
            return false;
        }
        disarm(TimeLimit.CONNECT_TIMEOUT);
        layers.connected(this);
        if (!watched) {
            layers.deadlines.watch(this);
        }
        return true;
    }

    /**
     * Whether {@link #requestSent} does anything: not without time limits, nor for what the app had ready when the first attempt was made. After
     * {@link Step#DIAL}.
     */
    public final boolean awaitsEndOfRequest() {
        return timeouts != null && !requestSent;
    }

    /** The last byte of the request is sent. Again after that it does nothing. */
    public final void requestSent() {
        if (phase == UNDER_WAY && awaitsEndOfRequest() && watchOff()) {
            layers.requestSent(this);
            layers.deadlines.watch(this);
        }
    }

    /** A part of the request's body went out. From any thread. */
    public final void bytesSent(long bytes) {
        requestPasses(bytes);
        bytesSent();
    }

    /** A part of the response's body came in. From any thread. */
    public final void bytesReceived(long bytes) {
        responsePasses(bytes);
        bytesReceived();
    }

    /** The same where it is not known how much that is. */
    public final void bytesSent() {
        if (isArmed(TimeLimit.IDLE_TIMEOUT)) {
            layers.deadlines.wasActive(this);
        }
    }

    /** The same where it is not known how much that is. */
    public final void bytesReceived() {
        if (isArmed(TimeLimit.PER_TRY_IDLE_TIMEOUT)) {
            hasReceived(layers.deadlines.clock().nanoTime(), !isRead());
        } else if (isArmed(TimeLimit.IDLE_TIMEOUT)) {
            layers.deadlines.wasActive(this);
        }
    }

    /** The app begins to wait for the next bytes of the response's body, if it did not before. On the thread that waits, or asks for them. */
    public final void awaitsBytes() {
        if (isArmed(TimeLimit.PER_TRY_IDLE_TIMEOUT)) {
            awaits(layers.deadlines.clock().nanoTime());
        }
    }

    /**
     * Nothing is taken from the connection until the app asks for more of the response's body, so that nobody waits for the endpoint. To be said
     * before the app is told of what has come, which may have it ask.
     */
    public final void awaitsNothing() {
        if (isArmed(TimeLimit.PER_TRY_IDLE_TIMEOUT)) {
            rests();
        }
    }

    /** @return true: discard this response and call {@link #next} after {@link #backoffNanos} */
    public final boolean onResponse(int status, ResponseHeaders headers) {
        if (phase != UNDER_WAY || this.status != 0) {
            return false;
        }
        // Limits that go on into the body go on now, and a watch that is kept needs no barriers to be lifted and set again. What the
        // timer thread ends meanwhile is a response that breaks off, as it would be a moment later.
        boolean watched = isWatched() && !isAttemptLimited();
        if (!watched && !watchOff()) {
            return ended(Failure.RESET);
        }
        this.status = status;
        failure = null;
        responseHeaders = headers;
        layers.outcome(this);
        responseHeaders = null;
        if (again) {
            // If it is too late for that, the limit is still there for the next attempt to find.
            watchOff();
            return goesOn();
        }
        delivered();
        if (!watched) {
            layers.deadlines.watch(this);
        }
        return false;
    }

    /**
     * The attempt failed, or the delivered response broke off, which is never tried again: then {@link Failure#RESET} and
     * {@link Failure#REFUSED} are held against the endpoint, and what the app itself has ended, by whatever means, is neither.
     *
     * @return true: call {@link #next} after {@link #backoffNanos}; false: the app gets the library's own exception
     */
    public final boolean onFailure(Failure failure) {
        if (phase != UNDER_WAY) {
            return false;
        }
        if (status != 0) {
            if (settle()) {
                brokeOff(failure);
                giveBack();
            }
            phase = OVER;
            return false;
        }
        return ended(failure);
    }

    private void brokeOff(Failure failure) {
        if (wasLimited()) {
            return;
        }
        switch (failure) {
            case CANCELLED -> flag(ResponseFlag.DC, "downstream_remote_disconnect");
            case REFUSED -> flag(ResponseFlag.UR, "upstream_reset_after_response_started{remote_reset}");
            default -> flag(ResponseFlag.UC, "upstream_reset_after_response_started{connection_termination}");
        }
        layers.brokeOff(this, failure);
    }

    /**
     * Says of a delivered response that a limit has ended it. By whoever gives back what it held, and by nobody else: what that one reads
     * must not change.
     *
     * @return false: none has
     */
    private boolean wasLimited() {
        TimeLimit limit = lane == null || lane.winner == null ? expired() : lane.winner.expired();
        if (limit == null) {
            return false;
        }
        limit.flag(this);
        layers.brokeOff(this, limit.failure());
        return true;
    }

    /** @return whether there is something to do next: another attempt, or a reply of the mesh's own */
    private boolean ended(Failure failure) {
        this.failure = failure;
        boolean inTime = watchOff();
        disarm(TimeLimit.CONNECT_TIMEOUT);
        if (!inTime) {
            if (failure == Failure.CANCELLED) {
                forgetExpired();
            } else {
                this.failure = expired().failure();
            }
        }
        layers.outcome(this);
        if (!again && overdue == null) {
            over();
            return false;
        }
        return goesOn();
    }

    /** Whether there may be further attempts beside this one, so that it may be {@link #isOutdone}. After {@link #next}. */
    public final boolean isHedged() {
        return lane != null;
    }

    /**
     * Whether another attempt's outcome is the request's: what came of this one is to be dropped, with its connection. After
     * {@link #next}, {@link #onResponse} or {@link #onFailure} has said that there is nothing more to do, or at any time between two
     * attempts.
     */
    public final boolean isOutdone() {
        return lane != null && lane.isLost(this);
    }

    /**
     * This exchange is outdone and over, and a further attempt's outcome is the request's: its response, whose head is given here, its
     * failure, or its reply. After that this one is asked for {@link #responseChanges} or {@link #reply}, and both end with the body.
     *
     * @param headers null: there is no response
     */
    public final void takeOver(HedgedAttempt other, ResponseHeaders headers) {
        lane.outdone = false;
        lane.takesOver = true;
        lane.winner = other;
        // That was a limit of the attempt that does not count.
        forgetExpired();
        host = other.host;
        endpoint = other.endpoint;
        attempt = other.attempt;
        begun = attempt;
        status = other.status;
        // Who gives up between two attempts is told of by no outcome.
        failure = headers == null && other.failure == null ? Failure.CANCELLED : other.failure;
        again = false;
        phase = UNDER_WAY;
        if (other.reply != null) {
            reply = other.reply;
            responseFlags |= other.responseFlags;
            responseCodeDetails = other.responseCodeDetails;
            RunFilters.answer(this);
            return;
        }
        responseHeaders = headers;
        layers.outcome(this);
        responseHeaders = null;
    }

    /** Only a hedged request's attempts outlast what one may take. */
    @Override
    final boolean outlasts(TimeLimit limit) {
        return lane != null && limit.isPerTry() && layers.outlasts(this);
    }

    /**
     * Before the first attempt.
     *
     * @param wanted whether further ones may begin beside it
     */
    final void hedge(boolean wanted) {
        if (wanted) {
            lane = new Lane(new Race(this));
            layers = layers.hedged();
        } else if (lane != null) {
            // Its layers let pass what is in no race.
            lane = null;
        }
    }

    /** How long to wait before {@link #next}, after either of the above was true or after {@link Step#WAIT}. */
    public final long backoffNanos() {
        return backoffNanos;
    }

    /** The response's body is over, or nobody will read it. Safe to call more than once and from any state. */
    public final void end() {
        if (phase != OVER && phase != NEW) {
            if (again) {
                // What is outdone is over for the layers only that have heard of it.
                again = isOutdone();
            }
            if (status == 0 && reply == null && !again) {
                failure = Failure.CANCELLED;
                overdue = null;
                flag(ResponseFlag.DC, "downstream_remote_disconnect");
            }
            if (settle()) {
                if (status != 0) {
                    wasLimited();
                }
                giveBack();
            }
            phase = OVER;
        }
    }

    /** Neither another attempt nor a reply of the mesh's own follows. */
    final boolean isLast() {
        return !again && (overdue == null || reply != null);
    }

    /** @return false: another attempt's outcome is the request's */
    private boolean goesOn() {
        if (isOutdone()) {
            over();
            return false;
        }
        layers.release(this);
        forgetExpired();
        status = 0;
        phase = READY;
        return true;
    }

    private void over() {
        giveBack();
        phase = OVER;
    }

    @Override
    final void release() {
        wasLimited();
        giveBack();
    }

    private void giveBack() {
        layers.release(this);
        layers.deadlines.leave(this);
    }
}
