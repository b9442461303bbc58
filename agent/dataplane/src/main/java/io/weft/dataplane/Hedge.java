package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterState;
import io.weft.dataplane.cluster.Ejection;
import io.weft.dataplane.route.RetryRule;

/**
 * Where the route hedges: an attempt that takes longer than {@code per_try_timeout} goes on, and another begins beside it. Says of
 * each attempt whether its outcome is the request's.
 */
final class Hedge extends ClientLayer {
    final Deadlines deadlines;
    final Notices.Relay notices;
    private final Randomness randomness;

    Hedge(Deadlines deadlines, Randomness randomness, Notices.Relay notices, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME, Phase.BROKE_OFF, Phase.RELEASE);
        this.deadlines = deadlines;
        this.randomness = randomness;
        this.notices = notices;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.lane == null) {
            return innerAttempt.attempt(exchange);
        }
        if (exchange.lane.race.isLost(exchange)) {
            outdo(exchange);
            return false;
        }
        if (!innerAttempt.attempt(exchange)) {
            decide(exchange, false);
            return false;
        }
        return true;
    }

    @Override
    void outcome(Exchange exchange) {
        if (exchange.lane == null) {
            innerOutcome.outcome(exchange);
        } else if (!exchange.lane.takesOver) {
            // Of what it takes over from another attempt the inner layers have heard.
            innerOutcome.outcome(exchange);
            decide(exchange, isGood(exchange));
        }
    }

    @Override
    void brokeOff(Exchange exchange, Exchange.Failure failure) {
        if (exchange.lane == null || !exchange.lane.takesOver) {
            innerBrokeOff.brokeOff(exchange, failure);
        }
    }

    private static void decide(Exchange exchange, boolean good) {
        Race race = exchange.lane.race;
        if (exchange.again && !race.isLost(exchange)) {
            return;
        }
        boolean counts = good || endsAll(exchange) || !race.leave();
        if (!counts || !race.win(exchange)) {
            outdo(exchange);
        }
    }

    /** To the layers outside it is as if another attempt of the exchange's own followed. */
    private static void outdo(Exchange exchange) {
        exchange.lane.outdone = true;
        exchange.again = true;
        exchange.overdue = null;
    }

    /** Envoy waits for another one only in place of a response that it would have tried again. */
    private static boolean isGood(Exchange exchange) {
        return exchange.failure == null
                && (exchange.retry == null || !exchange.retry.retriable(exchange.status, exchange.responseHeaders));
    }

    /** The time of all attempts is over, or the app's patience. */
    private static boolean endsAll(Exchange exchange) {
        return exchange.overdue != null
                || exchange.failure == Exchange.Failure.CANCELLED
                || exchange.failure == Exchange.Failure.TIMEOUT;
    }

    /**
     * An attempt takes longer than one should. On the timer thread, while the attempt's own cannot go on.
     *
     * @return whether it goes on nevertheless
     */
    boolean outlasts(Exchange exchange) {
        RetryRule rule = exchange.retry;
        boolean another = rule != null
                && rule.retriesAnything()
                && !exchange.lane.race.isDecided()
                && exchange.lane.race.hasAttemptsLeft(rule.retries())
                && Retry.mayFollow(exchange, Exchange.Failure.ATTEMPT_TIMEOUT);
        if (!exchange.canHedge()) {
            if (notices.isNew("hedging")) {
                notices.notice("a request to " + exchange.cluster.name() + " is to be hedged, and its client library ("
                        + exchange.getClass().getPackageName().replaceFirst(".*\\.", "")
                        + ") cannot have two attempts at once: the slow one is ended when the next begins");
            }
            return !another;
        }
        Ejection.onFailure(exchange.cluster, exchange.host, Exchange.Failure.ATTEMPT_TIMEOUT);
        if (another) {
            begin(exchange, rule);
        }
        return true;
    }

    private void begin(Exchange slow, RetryRule rule) {
        Race race = slow.lane.race;
        int number = race.reserve(rule.retries());
        if (number == 0) {
            return;
        }
        ClusterState cluster = slow.cluster.state();
        if (!cluster.startRetry(slow.priority, slow.cluster.maxRetries(slow.priority))) {
            race.giveBack();
            return;
        }
        slow.lane.hedged = true;
        race.join();
        HedgedAttempt next = new HedgedAttempt(slow, number, slow.layers.further());
        next.retryHeld = true;
        deadlines.later(rule.backoffNanos(++next.backOffs, randomness.bits() >>> 1), () -> start(next));
    }

    private static void start(HedgedAttempt next) {
        Race race = next.lane.race;
        if (race.isDecided()) {
            next.end();
        } else {
            race.original.hedge(next);
        }
    }

    @Override
    void release(Exchange exchange) {
        if (exchange.isOutdone()) {
            Retry.endRetry(exchange);
        }
        innerRelease.release(exchange);
    }
}
