package io.weft.policy.model;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * {@code envoy.config.route.v3.RetryPolicy}.
 *
 * @param on conditions
 * @param statusCodes for {@link On#RETRIABLE_STATUS_CODES}
 * @param retries attempts after the first, 0 or more
 * @param baseInterval of the exponential back-off, above zero
 * @param maxInterval at least the base interval
 * @param previousHosts do not choose a host that was tried already
 * @param hostSelectionAttempts how often another host is looked for; 1 or more
 * @param requestHeaders retry only requests that match one of these; empty: all
 */
public record RetryPolicy(
        Set<On> on,
        Set<Integer> statusCodes,
        int retries,
        Duration baseInterval,
        Duration maxInterval,
        boolean previousHosts,
        int hostSelectionAttempts,
        List<HeaderMatch> requestHeaders) {

    public RetryPolicy {
        on = Set.copyOf(on);
        statusCodes = Set.copyOf(statusCodes);
        requestHeaders = List.copyOf(requestHeaders);
    }

    /** The names of {@code x-envoy-retry-on} and {@code x-envoy-retry-grpc-on}, in upper case. */
    public enum On {
        SERVER_ERROR_5XX("5xx"),
        GATEWAY_ERROR("gateway-error"),
        RESET("reset"),
        RESET_BEFORE_REQUEST("reset-before-request"),
        CONNECT_FAILURE("connect-failure"),
        REFUSED_STREAM("refused-stream"),
        RETRIABLE_4XX("retriable-4xx"),
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
