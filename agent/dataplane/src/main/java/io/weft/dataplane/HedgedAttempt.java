package io.weft.dataplane;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * A further attempt at a request beside one that takes too long. It has a connection, an endpoint and time limits of its own; what
 * the filters and the route make of the response is the original's business: see {@link Exchange#takeOver}.
 */
public final class HedgedAttempt extends Exchange {
    private final Exchange original;
    private volatile Runnable abort = () -> {};

    /**
     * @param slow the attempt that takes too long
     * @param number of this one
     */
    HedgedAttempt(Exchange slow, int number, ClientLayers layers) {
        original = slow.lane.race.original;
        route = slow.route;
        destination = slow.destination;
        cluster = slow.cluster;
        retry = slow.retry;
        priority = slow.priority;
        lane = new Lane(slow.lane.race);
        hashed = slow.hashed;
        hash = slow.hash;
        newCookies = slow.newCookies;
        namedHosts = slow.namedHosts == null ? null : new ArrayDeque<>(slow.namedHosts);
        requestChanges = slow.requestChanges;
        trace = slow.trace;
        timeouts = slow.timeouts;
        requestNanos = slow.requestNanos;
        requestSent = slow.requestSent;
        alternativeToTimeout = slow.alternativeToTimeout;
        backOffs = slow.backOffs;
        firstFailed = slow.firstFailed;
        secondFailed = slow.secondFailed;
        moreFailed = slow.moreFailed == null ? null : new ArrayList<>(slow.moreFailed);
        unreachableHosts = slow.unreachableHosts == null ? null : new ArrayList<>(slow.unreachableHosts);
        attempt = number - 1;
        limitAs(slow);
        claimed(layers);
        host = slow.host;
        PickEndpoint.rememberFailed(this);
    }

    /** @param ends the attempt under way at once, on any thread, without blocking or throwing */
    public void abortBy(Runnable ends) {
        abort = ends;
    }

    /**
     * It cannot be made after all.
     *
     * @return whether another attempt is left, whose outcome will be the request's
     */
    public boolean abandon() {
        boolean left = lane.race.isLost(this) || lane.race.leave();
        lane.outdone = true;
        end();
        return left;
    }

    @Override
    protected void abort() {
        abort.run();
    }

    @Override
    protected boolean canHedge() {
        return true;
    }

    @Override
    public String method() {
        return original.method();
    }

    @Override
    public String scheme() {
        return original.scheme();
    }

    @Override
    public String authority() {
        return original.authority();
    }

    @Override
    public String path() {
        return original.path();
    }

    @Override
    public String header(String name) {
        return original.header(name);
    }

    @Override
    public List<String> values(String name) {
        return original.values(name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        return false;
    }

    @Override
    public Replay replay() {
        return original.replay();
    }

    @Override
    public long bodyLength() {
        return original.bodyLength();
    }
}
