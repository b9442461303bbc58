package io.weft.dataplane.route;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.LocalReply;

/** A route made ready: its test, and what is done with the requests that pass it. Immutable. */
public abstract sealed class RouteEntry {
    final RouteTest test;

    private RouteEntry(RouteTest test) {
        this.test = test;
    }

    /** Sends the request on. */
    public static final class Forward extends RouteEntry {
        /** Null when there are several. */
        private final Destination only;
        private final Destination[] destinations;
        /** Sums of the weights up to and with each destination. */
        private final long[] cumulativeWeights;
        private final RetryRule retry;
        private final long timeoutNanos;

        Forward(RouteTest test, Destination[] destinations, long[] cumulativeWeights, RetryRule retry, long timeoutNanos) {
            super(test);
            only = destinations.length == 1 ? destinations[0] : null;
            this.destinations = destinations;
            this.cumulativeWeights = cumulativeWeights;
            this.retry = retry;
            this.timeoutNanos = timeoutNanos;
        }

        /** @param draw the request's one random number, not negative; the same that fractions of routes are compared with */
        public Destination destination(long draw) {
            return only == null ? oneOfSeveral(draw) : only;
        }

        private Destination oneOfSeveral(long draw) {
            int last = destinations.length - 1;
            long point = draw % cumulativeWeights[last];
            int i = 0;
            while (i < last && cumulativeWeights[i] <= point) {
                i++;
            }
            return destinations[i];
        }

        /** Null: nothing is tried again. */
        public RetryRule retry() {
            return retry;
        }

        /** Of the whole exchange; 0: none. */
        public long timeoutNanos() {
            return timeoutNanos;
        }
    }

    /** Answers in the destination's place. */
    public static final class Answer extends RouteEntry {
        private final AnswerRecipe recipe;

        Answer(RouteTest test, AnswerRecipe recipe) {
            super(test);
            this.recipe = recipe;
        }

        public LocalReply reply(Exchange request) {
            return recipe.reply(request);
        }
    }
}
