package io.weft.policy.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * {@code envoy.config.route.v3.RetryPolicy}.
 *
 * @param retries attempts after the first, 0 or more
 */
public record RetryPolicy(
        Conditions conditions,
        int retries,
        PerTry perTry,
        BackOff backOff,
        Optional<RateLimitedBackOff> rateLimitedBackOff,
        HostSelection hostSelection) {

    /**
     * When an attempt is followed by another.
     *
     * @param statusCodes for {@link On#RETRIABLE_STATUS_CODES}
     * @param responseHeaders for {@link On#RETRIABLE_HEADERS}: one of them is enough
     * @param requestHeaders retry only requests that match one of these; empty: all
     */
    public record Conditions(
            Set<On> on, Set<Integer> statusCodes, List<HeaderMatch> responseHeaders, List<HeaderMatch> requestHeaders) {
        public Conditions {
            on = Set.copyOf(on);
            statusCodes = Set.copyOf(statusCodes);
            responseHeaders = List.copyOf(responseHeaders);
            requestHeaders = List.copyOf(requestHeaders);
        }

        public static Conditions on(On... on) {
            return new Conditions(Set.of(on), Set.of(), List.of(), List.of());
        }
    }

    /** How long one attempt may take; zero: no limit of its own. */
    public record PerTry(Duration timeout, Duration idleTimeout) {
        public static final PerTry NO_LIMIT = new PerTry(Duration.ZERO, Duration.ZERO);
    }

    /**
     * Exponential, fully jittered.
     *
     * @param base above zero
     * @param max at least the base
     */
    public record BackOff(Duration base, Duration max) {
        /** Envoy's: 25 ms, at most 250 ms. */
        public static final BackOff DEFAULT = new BackOff(Duration.ofMillis(25), Duration.ofMillis(250));
    }

    /**
     * A response's own word on when to come back goes before the exponential back-off.
     *
     * @param resetHeaders the first that says a time of no more than {@code max} counts
     */
    public record RateLimitedBackOff(List<ResetHeader> resetHeaders, Duration max) {
        public RateLimitedBackOff {
            resetHeaders = List.copyOf(resetHeaders);
        }
    }

    /** @param name in lower case */
    public record ResetHeader(String name, ResetFormat format) {}

    public enum ResetFormat { SECONDS, UNIX_TIMESTAMP }

    /**
     * Where a retry goes.
     *
     * @param previousHosts not to a host that was tried already
     * @param omitCanaryHosts not to a host of which the labels say {@code canary: true}
     * @param omitLabels not to a host that has all labels of one of these, as in {@link EndpointAssignment.LbEndpoint}
     * @param maxAttempts how often another host is looked for; 1 or more
     * @param previousPriorities after every so many hosts tried, not to their priorities while there are others; empty: as ever
     */
    public record HostSelection(
            boolean previousHosts,
            boolean omitCanaryHosts,
            List<Map<String, Object>> omitLabels,
            int maxAttempts,
            OptionalInt previousPriorities) {
        public HostSelection {
            omitLabels = List.copyOf(omitLabels);
        }

        public HostSelection(boolean previousHosts, boolean omitCanaryHosts, List<Map<String, Object>> omitLabels, int maxAttempts) {
            this(previousHosts, omitCanaryHosts, omitLabels, maxAttempts, OptionalInt.empty());
        }

        public static final HostSelection ANY = new HostSelection(false, false, List.of(), 1);
    }

    /** The names of {@code x-envoy-retry-on} and {@code x-envoy-retry-grpc-on}, in upper case. */
    public enum On {
        SERVER_ERROR_5XX("5xx"),
        GATEWAY_ERROR("gateway-error"),
        RESET("reset"),
        RESET_BEFORE_REQUEST("reset-before-request"),
        CONNECT_FAILURE("connect-failure"),
        REFUSED_STREAM("refused-stream"),
        ENVOY_RATELIMITED("envoy-ratelimited"),
        RETRIABLE_4XX("retriable-4xx"),
        RETRIABLE_HEADERS("retriable-headers"),
        RETRIABLE_STATUS_CODES("retriable-status-codes"),
        CANCELLED("cancelled"),
        DEADLINE_EXCEEDED("deadline-exceeded"),
        INTERNAL("internal"),
        RESOURCE_EXHAUSTED("resource-exhausted"),
        UNAVAILABLE("unavailable");

        private final String token;

        On(String token) {
            this.token = token;
        }

        /** The word that Envoy uses in {@code retry_on}. */
        public String token() {
            return token;
        }
    }
}
