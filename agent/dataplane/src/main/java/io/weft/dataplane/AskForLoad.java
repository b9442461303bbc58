package io.weft.dataplane;

import io.weft.dataplane.load.LoadFormat;

/**
 * Asks endpoints how busy they are, where the cluster balances by that: now and then, and not for the app, which sees of it only
 * what it asked for itself.
 */
final class AskForLoad extends ClientLayer {
    private static final RequestChanges ASKING = asking(RequestChanges.NONE);
    private static final ResponseChanges HIDING = hiding(ResponseChanges.NONE);

    private final NanoClock clock;

    AskForLoad(NanoClock clock, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME);
        this.clock = clock;
    }

    private static RequestChanges asking(RequestChanges changes) {
        return changes.andSet(LoadFormat.ASKING_HEADER, LoadFormat.TEXT.name());
    }

    private static ResponseChanges hiding(ResponseChanges changes) {
        return changes.andRemove(LoadFormat.REPORT_HEADER);
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (!innerAttempt.attempt(exchange)) {
            return false;
        }
        if (!exchange.loadAsked
                && exchange.cluster.asksForLoad(exchange.host, clock)
                && exchange.header(LoadFormat.ASKING_HEADER) == null) {
            // Once for all attempts, which each build on the changes of the one before.
            exchange.loadAsked = true;
            exchange.requestChanges =
                    exchange.requestChanges == RequestChanges.NONE ? ASKING : asking(exchange.requestChanges);
        }
        return true;
    }

    @Override
    void outcome(Exchange exchange) {
        exchange.cluster.loadReported(exchange.host, exchange.responseHeaders, clock);
        innerOutcome.outcome(exchange);
        if (exchange.loadAsked && !exchange.again && exchange.failure == null) {
            exchange.responseChanges =
                    exchange.responseChanges == ResponseChanges.NONE ? HIDING : hiding(exchange.responseChanges);
        }
    }
}
