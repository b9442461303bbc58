package io.weft.dataplane.route;

import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.filter.FilterChain;

/** What a route does with the requests that match it. Immutable. */
public abstract sealed class RouteEntry {
    private RouteEntry() {}

    /** Sends the request on. */
    public static final class Forward extends RouteEntry {
        private static final int FINE_WEIGHT = 1 << 20;

        private final Destination[] destinations;
        private final long totalWeight;
        private final RetryRule retry;
        private final TimeoutRule timeouts;

        Forward(Destination[] destinations, RetryRule retry, TimeoutRule timeouts) {
            this.destinations = destinations;
            totalWeight = destinations[destinations.length - 1].cumulativeWeight();
            this.retry = retry;
            this.timeouts = timeouts;
        }

        /** @param draw 31 random bits, the request's only ones; the same that fractions of routes are compared with */
        public Destination destination(int draw) {
            int last = destinations.length - 1;
            int i = 0;
            if (last > 0) {
                // Envoy's remainder; of a number of 31 bits it is even only for weights far below that.
                long point = totalWeight <= FINE_WEIGHT ? draw % (int) totalWeight : (long) draw * totalWeight >>> 31;
                while (i < last && destinations[i].cumulativeWeight() <= point) {
                    i++;
                }
            }
            return destinations[i];
        }

        /** Null: nothing is tried again. */
        public RetryRule retry() {
            return retry;
        }

        /** Null: no limits. */
        public TimeoutRule timeouts() {
            return timeouts;
        }
    }

    /** Answers in the destination's place. */
    public static final class Answer extends RouteEntry {
        private final AnswerRecipe recipe;
        private final FilterChain filters;

        Answer(AnswerRecipe recipe, FilterChain filters) {
            this.recipe = recipe;
            this.filters = filters;
        }

        public FilterChain filters() {
            return filters;
        }

        public LocalReply reply(RequestHead request) {
            return recipe.reply(request);
        }
    }
}
