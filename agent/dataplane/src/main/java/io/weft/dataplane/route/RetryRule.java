package io.weft.dataplane.route;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.ResponseHeaders;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.On;
import java.util.EnumSet;
import java.util.Set;

/**
 * A {@link RetryPolicy} made ready: what Envoy's retry state decides from a response head or a reset, without its counters.
 * Immutable.
 */
public final class RetryRule {
    private static final int ANY_RESET = bits(EnumSet.of(On.SERVER_ERROR_5XX, On.GATEWAY_ERROR, On.RESET));
    private static final int GRPC = bits(EnumSet.of(
            On.CANCELLED, On.DEADLINE_EXCEEDED, On.INTERNAL, On.RESOURCE_EXHAUSTED, On.UNAVAILABLE));

    private final int on;
    private final int[] statusCodes;
    private final int retries;
    private final long baseNanos;
    private final long maxNanos;
    private final int hostSelections;
    private final HeaderTest[] requestHeaders;
    private final HeaderTest[] responseHeaders;

    RetryRule(RetryPolicy policy) {
        on = bits(policy.conditions().on());
        statusCodes = new int[policy.conditions().statusCodes().size()];
        int i = 0;
        for (int statusCode : policy.conditions().statusCodes()) {
            statusCodes[i++] = statusCode;
        }
        retries = policy.retries();
        baseNanos = policy.backOff().base().toNanos();
        maxNanos = policy.backOff().max().toNanos();
        hostSelections = policy.hostSelection().previousHosts() ? policy.hostSelection().maxAttempts() : 0;
        requestHeaders = HeaderTest.of(policy.conditions().requestHeaders());
        responseHeaders = HeaderTest.of(policy.conditions().responseHeaders());
    }

    /** Attempts after the first. */
    public int retries() {
        return retries;
    }

    /** How often a host that was not tried yet is looked for; 0: it does not matter. */
    public int hostSelections() {
        return hostSelections;
    }

    /** Whether the policy is for such requests at all. */
    public boolean covers(RequestHead request) {
        if (requestHeaders.length == 0) {
            return true;
        }
        for (HeaderTest test : requestHeaders) {
            if (test.matches(request)) {
                return true;
            }
        }
        return false;
    }

    /** After a response head. */
    public boolean retriable(int status, ResponseHeaders headers) {
        if (headers.header("x-envoy-ratelimited") != null) {
            return has(bit(On.ENVOY_RATELIMITED));
        }
        return retriableStatus(status)
                || has(bit(On.RETRIABLE_HEADERS)) && retriableHeaders(status, headers)
                || has(GRPC) && retriableGrpcStatus(headers.header("grpc-status"));
    }

    private boolean retriableStatus(int status) {
        if (has(bit(On.SERVER_ERROR_5XX)) && status >= 500 && status <= 599
                || has(bit(On.GATEWAY_ERROR)) && status >= 502 && status <= 504
                || has(bit(On.RETRIABLE_4XX)) && status == 409) {
            return true;
        }
        if (has(bit(On.RETRIABLE_STATUS_CODES))) {
            for (int code : statusCodes) {
                if (code == status) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean retriableHeaders(int status, ResponseHeaders headers) {
        for (HeaderTest test : responseHeaders) {
            if (test.matches(status, headers)) {
                return true;
            }
        }
        return false;
    }

    private boolean retriableGrpcStatus(String status) {
        if (status == null) {
            return false;
        }
        return switch (status) {
            case "1" -> has(bit(On.CANCELLED));
            case "4" -> has(bit(On.DEADLINE_EXCEEDED));
            case "8" -> has(bit(On.RESOURCE_EXHAUSTED));
            case "13" -> has(bit(On.INTERNAL));
            case "14" -> has(bit(On.UNAVAILABLE));
            default -> false;
        };
    }

    /** After an attempt that brought no response head. A reset of any kind counts as a 5xx and as a gateway error. */
    public boolean retriable(Exchange.Failure failure) {
        return switch (failure) {
            case CONNECT -> has(ANY_RESET | bit(On.CONNECT_FAILURE) | bit(On.RESET_BEFORE_REQUEST));
            case RESET -> has(ANY_RESET);
            case REFUSED -> has(ANY_RESET | bit(On.REFUSED_STREAM));
            case ATTEMPT_TIMEOUT, MAX_DURATION -> has(ANY_RESET);
            // The app's own patience is over, or the app gave up: a further attempt would keep it waiting.
            case TIMEOUT, REQUEST_TIMEOUT, CANCELLED -> false;
        };
    }

    /**
     * Full jitter over an interval that starts with the base, doubles with each retry and ends at the maximum.
     *
     * @param retry 1 for the first
     * @param random not negative
     */
    public long backoffNanos(int retry, long random) {
        long interval = baseNanos;
        for (int i = 1; i < retry && interval < maxNanos; i++) {
            interval = interval > maxNanos / 2 ? maxNanos : interval * 2;
        }
        return random % Math.max(1, interval);
    }

    private boolean has(int anyOf) {
        return (on & anyOf) != 0;
    }

    private static int bit(On condition) {
        return 1 << condition.ordinal();
    }

    private static int bits(Set<On> conditions) {
        int bits = 0;
        for (On condition : conditions) {
            bits |= bit(condition);
        }
        return bits;
    }
}
