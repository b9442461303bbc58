package io.weft.dataplane.route;

import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.RoutingPriority;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a route does with the requests that match it. Immutable. */
public abstract sealed class RouteEntry {
    private final String virtualHost;
    private final String name;

    private RouteEntry(String virtualHost, String name) {
        this.virtualHost = virtualHost;
        this.name = name;
    }

    public final String virtualHost() {
        return virtualHost;
    }

    /** May be empty. */
    public final String name() {
        return name;
    }

    /** Sends the request on. */
    public static final class Forward extends RouteEntry {
        private static final int FINE_WEIGHT = 1 << 20;
        private static final String MAX_UNSIGNED = "18446744073709551615";

        // The first, which mostly is the only one or has most of the weight, is one look into memory nearer.
        private final Destination first;
        private final long firstWeight;
        private final Destination[] others;
        private final long totalWeight;
        private final ForwardRule rule;

        Forward(String virtualHost, String name, Destination[] destinations, ForwardRule rule) {
            super(virtualHost, name);
            first = destinations[0];
            firstWeight = first.cumulativeWeight();
            others = Arrays.copyOfRange(destinations, 1, destinations.length);
            totalWeight = destinations[destinations.length - 1].cumulativeWeight();
            this.rule = rule;
        }

        /** @param draw 31 random bits, the request's only ones; the same that fractions of routes are compared with */
        public Destination destination(RequestHead request, int draw) {
            // Also where there is no other: a look at that takes one more cache line.
            if (firstWeight == totalWeight) {
                return first;
            }
            long point = point(request, draw);
            if (point < firstWeight) {
                return first;
            }
            int i = 0;
            while (i < others.length - 1 && others[i].cumulativeWeight() <= point) {
                i++;
            }
            return others[i];
        }

        private long point(RequestHead request, int draw) {
            String value = rule.valueHeader() == null ? null : request.value(rule.valueHeader());
            if (value != null && isUnsignedLong(value)) {
                return Long.remainderUnsigned(Long.parseUnsignedLong(value), totalWeight);
            }
            // Envoy's remainder; of a number of 31 bits it is even only for weights far below that.
            return totalWeight <= FINE_WEIGHT ? draw % (int) totalWeight : (long) draw * totalWeight >>> 31;
        }

        /** An exception for each request that has something else would cost too much. */
        private static boolean isUnsignedLong(String text) {
            int length = text.length();
            if (length == 0 || length > MAX_UNSIGNED.length()) {
                return false;
            }
            for (int i = 0; i < length; i++) {
                if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                    return false;
                }
            }
            return length < MAX_UNSIGNED.length() || text.compareTo(MAX_UNSIGNED) <= 0;
        }

        /** All of them, in order. */
        public List<Destination> destinations() {
            List<Destination> all = new ArrayList<>(1 + others.length);
            all.add(first);
            all.addAll(List.of(others));
            return all;
        }

        /** The answer when there is no such cluster. */
        public LocalReply clusterNotFound() {
            return rule.clusterNotFound();
        }

        /** Whether {@code x-envoy-attempt-count} goes out. */
        public boolean sendsAttemptCount() {
            return rule.sendsAttemptCount();
        }

        /** Null: nothing is tried again. */
        public RetryRule retry() {
            return rule.resend().retry();
        }

        /** Null: its requests have nothing under way besides themselves. */
        public ResendRule.Copies copies() {
            return rule.resend().copies();
        }

        /** When its requests are sent more than once. */
        public ResendRule resend() {
            return rule.resend();
        }

        /** Whose circuit breakers its requests count for. */
        public RoutingPriority priority() {
            return rule.priority();
        }

        /** Null: no limits. */
        public TimeoutRule timeouts() {
            return rule.timeouts();
        }
    }

    /** Answers in the destination's place. */
    public static final class Answer extends RouteEntry {
        private final AnswerRecipe recipe;
        private final FilterChain filters;

        Answer(String virtualHost, String name, AnswerRecipe recipe, FilterChain filters) {
            super(virtualHost, name);
            this.recipe = recipe;
            this.filters = filters;
        }

        public FilterChain filters() {
            return filters;
        }

        public LocalReply reply(RequestHead request, StreamInfo info) {
            return recipe.reply(request, info);
        }
    }
}
