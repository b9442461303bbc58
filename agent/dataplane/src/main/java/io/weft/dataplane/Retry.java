package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.cluster.ClusterState;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.ResendRule;
import io.weft.dataplane.route.RetryRule;
import io.weft.dataplane.route.RouteEntry;
import java.time.InstantSource;

/**
 * Decides whether an attempt is followed by another: as the route's retry policy says, within its number of retries, within
 * what the cluster's circuit breaker allows to be retried at once, and only if the request can be sent again.
 */
final class Retry extends ClientLayer {
    private final InstantSource time;
    private final Randomness randomness;

    Retry(InstantSource time, Randomness randomness, ClientLayer inner) {
        super(inner, Phase.OUTCOME, Phase.RELEASE);
        this.time = time;
        this.randomness = randomness;
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        endRetry(exchange);
        RetryRule rule = exchange.retry;
        if (rule == null) {
            return;
        }
        if (isLast(rule, exchange)) {
            if (exchange.lane == null && wanted(rule, exchange)) {
                exchange.responseFlags |= ResponseFlag.URX.bit();
            }
            return;
        }
        if (!retriable(rule, exchange) || !takesTurn(rule, exchange)) {
            return;
        }
        ClusterState cluster = exchange.cluster.state();
        if (cluster.startRetry(exchange.priority, exchange.cluster.maxRetries(exchange.priority))) {
            exchange.retryHeld = true;
            exchange.again = true;
            exchange.backoffNanos = backoffNanos(rule, exchange);
        } else {
            exchange.responseFlags |= ResponseFlag.UO.bit();
            if (exchange.lane != null) {
                exchange.lane.race.giveBack();
            }
        }
    }

    private static boolean isLast(RetryRule rule, Exchange exchange) {
        return exchange.lane == null ? exchange.attempt > rule.retries() : exchange.lane.hedged;
    }

    /** Attempts beside each other are numbered together. */
    private static boolean takesTurn(RetryRule rule, Exchange exchange) {
        if (exchange.lane == null) {
            return true;
        }
        int number = exchange.lane.race.reserve(rule.retries());
        exchange.attempt = number == 0 ? exchange.attempt : number - 1;
        return number != 0;
    }

    private long backoffNanos(RetryRule rule, Exchange exchange) {
        long random = randomness.bits() >>> 1;
        if (exchange.failure == null) {
            if (rule.atOnce(exchange.status, exchange)) {
                return 0;
            }
            long reset = rule.resetNanos(exchange.responseHeaders, time.millis(), random);
            if (reset != 0) {
                return reset;
            }
        }
        return rule.backoffNanos(++exchange.backOffs, random);
    }

    private static boolean retriable(RetryRule rule, Exchange exchange) {
        return wanted(rule, exchange) && mayFollow(exchange, exchange.failure);
    }

    /** Whether the policy wants another attempt after this outcome. */
    private static boolean wanted(RetryRule rule, Exchange exchange) {
        return exchange.failure == null
                ? rule.retriable(exchange.status, exchange.responseHeaders)
                : rule.retriable(exchange.failure) || exchange.lane != null && exchange.failure == Failure.ATTEMPT_TIMEOUT;
    }

    /**
     * Whether another attempt is possible, whatever the policy says of this one.
     *
     * @param failure of this one, where it has failed; the exchange's own may still be that of the one before
     */
    static boolean mayFollow(Exchange exchange, Failure failure) {
        return canBeSentAgain(exchange, failure) && exchange.retry.covers(exchange) && isShortEnough(exchange, failure);
    }

    /** Once a connection was there, a body that the app gives only once may be used up in part. */
    private static boolean canBeSentAgain(Exchange exchange, Failure failure) {
        return failure == Failure.CONNECT || exchange.replay() != Replay.ONE_SHOT;
    }

    /** Nothing is buffered here to send it again; but where Envoy would not have buffered it, it would not have sent it again. */
    private static boolean isShortEnough(Exchange exchange, Failure failure) {
        ResendRule resend = ((RouteEntry.Forward) exchange.route).resend();
        if (resend.bufferLimit() < 0 || failure == Failure.CONNECT || resend.mayBeSentAgain(exchange.bodyLength())) {
            return true;
        }
        exchange.cluster.state().abandoned();
        return false;
    }

    @Override
    void release(Exchange exchange) {
        innerRelease.release(exchange);
        if (!exchange.again) {
            endRetry(exchange);
        }
    }

    /** A retry holds its place from the decision for it to its outcome. */
    static void endRetry(Exchange exchange) {
        if (exchange.retryHeld) {
            exchange.retryHeld = false;
            exchange.cluster.state().retryEnded(exchange.priority);
        }
    }
}
