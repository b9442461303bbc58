package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.NetworkFilter;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.TokenBucket;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.protobuf.Any;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** {@code envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit} and the bucket in it. */
final class RateLimitParser {
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int MAX_HEADERS = 10;
    private static final Duration MIN_FILL_INTERVAL = Duration.ofMillis(50);
    private static final Fraction NEVER = new Fraction(0, 100);
    private static final Fraction ALWAYS = new Fraction(100, 100);

    private RateLimitParser() {}

    static HttpFilter filter(Field field, LocalRateLimit limit) {
        field.at("stat_prefix").notEmpty(limit.getStatPrefix());
        field.refuseIf(limit.hasLocalClusterRateLimit(), "local_cluster_rate_limit",
                "is not supported; each instance limits by itself");
        XRateLimitHeadersRFCVersion version = limit.getEnableXRatelimitHeaders();
        field.refuseIf(version == XRateLimitHeadersRFCVersion.UNRECOGNIZED, "enable_x_ratelimit_headers", "is unknown");
        int requestHeaders = limit.getRequestHeadersToAddWhenNotEnforcedCount();
        field.refuseIf(requestHeaders > MAX_HEADERS, "request_headers_to_add_when_not_enforced", "holds more than " + MAX_HEADERS);
        field.refuseIf(limit.getResponseHeadersToAddCount() > MAX_HEADERS, "response_headers_to_add",
                "holds more than " + MAX_HEADERS);
        HeaderChanges headers = new HeaderChanges(
                HeaderChangesParser.additions(field, "request_headers_to_add_when_not_enforced",
                        limit.getRequestHeadersToAddWhenNotEnforcedList()),
                List.of(),
                HeaderChangesParser.additions(field, "response_headers_to_add", limit.getResponseHeadersToAddList()),
                List.of());
        return new HttpFilter.LocalRateLimit(
                limit.hasTokenBucket() ? Optional.of(bucket(field.at("token_bucket"), limit.getTokenBucket())) : Optional.empty(),
                fraction(field.at("filter_enabled"), limit.hasFilterEnabled(), limit.getFilterEnabled()),
                fraction(field.at("filter_enforced"), limit.hasFilterEnforced(), limit.getFilterEnforced()),
                limit.getLocalRateLimitPerDownstreamConnection(),
                new HttpFilter.RateLimited(
                        status(field.at("status"), limit),
                        headers,
                        version == XRateLimitHeadersRFCVersion.DRAFT_VERSION_03,
                        limit.getRateLimitedAsResourceExhausted()),
                DescriptorLimitParser.parse(field, limit));
    }

    /** The network filter of the same name. */
    static NetworkFilter connections(Field field, Any config) {
        io.weft.policy.proto.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit limit;
        try {
            limit = io.weft.policy.proto.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit.parseFrom(
                    config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + Extensions.typeOf(config) + ": " + e.getMessage());
        }
        field.at("stat_prefix").notEmpty(limit.getStatPrefix());
        field.refuseIf(!limit.hasTokenBucket(), "token_bucket", "is missing");
        field.refuseIf(!limit.getShareKey().isEmpty(), "share_key", "is not supported; each listener has a bucket of its own");
        // There is no runtime that could switch it off.
        boolean enabled = !limit.hasRuntimeEnabled() || limit.getRuntimeEnabled().getDefaultValue().getValue();
        return new NetworkFilter.LocalRateLimit(
                bucket(field.at("token_bucket"), limit.getTokenBucket()), enabled ? ALWAYS : NEVER);
    }

    private static Fraction fraction(Field field, boolean present, RuntimeFractionalPercent value) {
        return present ? MatchParser.fraction(field, value) : NEVER;
    }

    /** As Envoy, a status that is no error is taken to be the default. */
    private static int status(Field field, LocalRateLimit limit) {
        int code = limit.getStatus().getCodeValue();
        field.refuseIf(code < 0 || code > 599, "code", "must be an HTTP status");
        return code < 400 ? TOO_MANY_REQUESTS : code;
    }

    static TokenBucket bucket(Field field, io.weft.policy.proto.envoy.type.v3.TokenBucket bucket) {
        field.refuseIf(bucket.getMaxTokens() == 0, "max_tokens", "must be greater than zero");
        int perFill = bucket.hasTokensPerFill() ? bucket.getTokensPerFill().getValue() : 1;
        field.refuseIf(perFill == 0, "tokens_per_fill", "must be greater than zero");
        field.refuseIf(!bucket.hasFillInterval(), "fill_interval", "is missing");
        Duration interval = field.at("fill_interval").positive(bucket.getFillInterval());
        field.refuseIf(interval.compareTo(MIN_FILL_INTERVAL) < 0, "fill_interval", "must be at least 0.05s");
        return new TokenBucket(Field.limit(bucket.getMaxTokens()), Field.limit(perFill), interval);
    }
}
