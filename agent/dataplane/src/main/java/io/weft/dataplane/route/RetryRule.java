package io.weft.dataplane.route;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.Headers;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.ResponseHeaders;
import io.weft.dataplane.cluster.Host;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.ResetFormat;
import io.weft.policy.model.RetryPolicy.ResetHeader;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A {@link RetryPolicy} made ready: what Envoy's retry state decides from a response head or a reset, without its counters.
 * Immutable.
 */
public final class RetryRule {
    private static final int ANY_RESET = bits(EnumSet.of(On.SERVER_ERROR_5XX, On.GATEWAY_ERROR, On.RESET));
    private static final int SERVER_ERROR = bit(On.SERVER_ERROR_5XX);
    private static final int GATEWAY_ERROR = bit(On.GATEWAY_ERROR);
    private static final int RETRIABLE_4XX = bit(On.RETRIABLE_4XX);
    private static final int STATUS_CODES = bit(On.RETRIABLE_STATUS_CODES);
    private static final int RETRIABLE_HEADERS = bit(On.RETRIABLE_HEADERS);
    private static final int ENVOY_RATELIMITED = bit(On.ENVOY_RATELIMITED);
    private static final ResetHeader[] NO_RESET_HEADERS = {};
    private static final int TOO_EARLY = 425;
    private static final long NANOS_PER_MILLI = 1_000_000;
    /** What Envoy merges a request's own wishes into where the route has no policy: nothing, once. */
    private static final RetryRule NONE = new RetryRule(new RetryPolicy(
            new RetryPolicy.Conditions(Set.of(), Set.of(), List.of(), List.of()), 1, RetryPolicy.PerTry.NO_LIMIT, RetryPolicy.BackOff.DEFAULT, Optional.empty(),
            RetryPolicy.HostSelection.ANY));
    private static final int GRPC = bits(EnumSet.of(
            On.CANCELLED, On.DEADLINE_EXCEEDED, On.INTERNAL, On.RESOURCE_EXHAUSTED, On.UNAVAILABLE));

    private final int on;
    private final int[] statusCodes;
    private final int retries;
    private final long baseNanos;
    private final long maxNanos;
    private final HostSelection hosts;
    private final HeaderTest[] requestHeaders;
    private final HeaderTest[] responseHeaders;
    private final ResetHeader[] resetHeaders;
    private final long maxResetMillis;

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
        hosts = policy.hostSelection();
        requestHeaders = HeaderTest.of(policy.conditions().requestHeaders());
        responseHeaders = HeaderTest.of(policy.conditions().responseHeaders());
        resetHeaders = policy.rateLimitedBackOff()
                .map(backOff -> backOff.resetHeaders().toArray(NO_RESET_HEADERS))
                .orElse(NO_RESET_HEADERS);
        maxResetMillis = policy.rateLimitedBackOff().map(backOff -> backOff.max().toMillis()).orElse(0L);
    }

    /** The rule with other conditions. */
    private RetryRule(RetryRule rule, int on, int retries, int[] statusCodes, HeaderTest[] responseHeaders) {
        this.on = on;
        this.retries = retries;
        this.statusCodes = statusCodes;
        this.responseHeaders = responseHeaders;
        baseNanos = rule.baseNanos;
        maxNanos = rule.maxNanos;
        hosts = rule.hosts;
        requestHeaders = rule.requestHeaders;
        resetHeaders = rule.resetHeaders;
        maxResetMillis = rule.maxResetMillis;
    }

    /**
     * With what the request itself asks for by {@code x-envoy-retry-on} and its like.
     *
     * @param rule null: the route has none
     * @return null: nothing is tried again
     */
    public static RetryRule withWishes(RetryRule rule, RequestHead request) {
        String retryOn = request.header("x-envoy-retry-on");
        String retryGrpcOn = request.header("x-envoy-retry-grpc-on");
        String statusCodes = request.header("x-envoy-retriable-status-codes");
        String headerNames = request.header("x-envoy-retriable-header-names");
        String maxRetries = request.header("x-envoy-max-retries");
        if (retryOn == null && retryGrpcOn == null && (rule == null || statusCodes == null && headerNames == null && maxRetries == null)) {
            return rule;
        }
        RetryRule base = rule == null ? NONE : rule;
        int on = base.on | bits(retryOn) & ~GRPC | bits(retryGrpcOn) & GRPC;
        long retries = on == 0 ? -1 : number(maxRetries);
        return new RetryRule(
                base,
                on,
                retries < 0 ? base.retries : (int) Math.min(retries, Integer.MAX_VALUE),
                withCodes(base.statusCodes, statusCodes),
                withNames(base.responseHeaders, headerNames));
    }

    private static int bits(String tokens) {
        int bits = 0;
        if (tokens != null) {
            for (String token : tokens.split(",")) {
                for (On condition : On.values()) {
                    if (condition.token().equals(token.trim())) {
                        bits |= bit(condition);
                    }
                }
            }
        }
        return bits;
    }

    private static int[] withCodes(int[] codes, String more) {
        if (more == null) {
            return codes;
        }
        String[] texts = more.split(",");
        int[] all = Arrays.copyOf(codes, codes.length + texts.length);
        int size = codes.length;
        for (String text : texts) {
            long code = number(text);
            if (code >= 0) {
                all[size++] = (int) Math.min(code, Integer.MAX_VALUE);
            }
        }
        return Arrays.copyOf(all, size);
    }

    private static HeaderTest[] withNames(HeaderTest[] tests, String names) {
        if (names == null) {
            return tests;
        }
        String[] texts = names.split(",");
        HeaderTest[] all = Arrays.copyOf(tests, tests.length + texts.length);
        for (int i = 0; i < texts.length; i++) {
            String name = texts[i].trim().toLowerCase(Locale.ROOT);
            all[tests.length + i] = HeaderTest.of(new HeaderMatch(name, new HeaderMatch.Present(true), false, false));
        }
        return all;
    }

    /** @return -1 when it is none */
    static long number(String text) {
        String digits = text == null ? "" : text.trim();
        if (digits.isEmpty() || digits.length() > 18) {
            return -1;
        }
        long number = 0;
        for (int i = 0; i < digits.length(); i++) {
            char c = digits.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            number = number * 10 + c - '0';
        }
        return number;
    }

    /** Attempts after the first. */
    public int retries() {
        return retries;
    }

    /** Whether any outcome is followed by another attempt; if not, Envoy has no policy at all. */
    public boolean retriesAnything() {
        return on != 0;
    }

    /** How often another host is looked for when one is refused. */
    public int hostSelections() {
        return hosts.maxAttempts();
    }

    /** After how many hosts their priorities are left out; 0: they are not. */
    public int previousPriorities() {
        return hosts.previousPriorities().orElse(0);
    }

    /** @param tried whether an earlier attempt went there */
    public boolean refuses(Host host, boolean tried) {
        if (hosts.previousHosts() && tried
                || hosts.omitCanaryHosts() && Boolean.TRUE.equals(host.labels().get("canary"))) {
            return true;
        }
        for (int i = 0; i < hosts.omitLabels().size(); i++) {
            Map<String, Object> labels = hosts.omitLabels().get(i);
            if (!labels.isEmpty() && hasAll(host, labels)) {
                return true;
            }
        }
        return false;
    }

    /** As Envoy compares here, one value of a list is enough. */
    private static boolean hasAll(Host host, Map<String, Object> labels) {
        for (Map.Entry<String, Object> label : labels.entrySet()) {
            Object value = host.labels().get(label.getKey());
            boolean same = label.getValue().equals(value) || value instanceof List<?> list && list.contains(label.getValue());
            if (!same) {
                return false;
            }
        }
        return true;
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
        boolean retriable = retriableStatus(status)
                || has(RETRIABLE_HEADERS) && retriableHeaders(status, headers)
                || has(GRPC) && retriableGrpcStatus(headers.header("grpc-status"));
        // Looked up last: for nearly every response it makes no difference.
        boolean limited = (retriable || has(ENVOY_RATELIMITED)) && headers.header("x-envoy-ratelimited") != null;
        return limited ? has(ENVOY_RATELIMITED) : retriable;
    }

    private boolean retriableStatus(int status) {
        if (has(SERVER_ERROR) && status >= 500 && status <= 599
                || has(GATEWAY_ERROR) && status >= 502 && status <= 504
                || has(RETRIABLE_4XX) && status == 409) {
            return true;
        }
        if (has(STATUS_CODES)) {
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

    /** Whether the server, asked too early, may be asked again at once: Envoy makes no pause then. */
    public boolean atOnce(int status, RequestHead request) {
        return status == TOO_EARLY && request.header("early-data") == null;
    }

    /**
     * What the response says itself about when to come back, with up to half of it on top.
     *
     * @param random not negative
     * @return 0 when it says nothing
     */
    public long resetNanos(Headers response, long unixMillis, long random) {
        for (ResetHeader header : resetHeaders) {
            String said = response.header(header.name());
            int comma = said == null ? -1 : said.indexOf(',');
            long seconds = number(comma < 0 ? said : said.substring(0, comma));
            if (seconds >= 0 && header.format() == ResetFormat.UNIX_TIMESTAMP) {
                seconds -= unixMillis / 1_000;
            }
            // Compared as seconds first, so that nothing overflows.
            if (seconds > 0 && seconds <= maxResetMillis / 1_000) {
                long nanos = seconds * 1_000 * NANOS_PER_MILLI;
                return nanos + random % (nanos / 2);
            }
            if (seconds == 0) {
                return 0;
            }
        }
        return 0;
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
