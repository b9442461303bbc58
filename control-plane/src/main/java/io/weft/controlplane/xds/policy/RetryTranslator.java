package io.weft.controlplane.xds.policy;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryHostPredicate;
import io.envoyproxy.envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig;
import io.envoyproxy.envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate;
import io.envoyproxy.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.weft.controlplane.policy.MeshHttpRoute.HeaderMatch;
import io.weft.controlplane.policy.MeshRetry;
import io.weft.controlplane.policy.MeshRetry.BackOff;
import io.weft.controlplane.policy.MeshRetry.Common;
import io.weft.controlplane.policy.MeshRetry.HostSelection;
import io.weft.controlplane.policy.MeshRetry.RateLimitedBackOff;
import io.weft.controlplane.policy.MeshRetry.ResetHeader;
import io.weft.controlplane.policy.Protocol;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * {@code MeshRetry}, with two differences from Kuma: HTTP/2 is retried like HTTP/1.1, which Kuma leaves without retries, and a retry of
 * gRPC looks for another host, for which a policy has no words.
 */
public final class RetryTranslator {

    private static final String HTTP = "gateway-error,connect-failure,refused-stream";
    private static final String GRPC =
            "cancelled,connect-failure,gateway-error,refused-stream,reset,resource-exhausted,unavailable";
    private static final String STATUSES = "retriable-status-codes";
    private static final Duration BASE_INTERVAL = Duration.ofMillis(25);
    private static final int SELECTION_ATTEMPTS = 5;

    /** Empty: there are no retries. */
    public static Optional<RetryPolicy> policy(MeshRetry retry, Protocol protocol) {
        return protocol == Protocol.GRPC
                ? retry.grpc().flatMap(grpc -> common(grpc.common(), join(grpc.conditions(), GRPC))
                        .map(policy -> elsewhere(policy).build()))
                : retry.http().flatMap(http -> common(http.common(), join(http.conditions(), HTTP)).map(policy -> http(http, policy)));
    }

    /** Each retry goes to a host that was not tried yet, as far as there is one. */
    public static RetryPolicy.Builder elsewhere(RetryPolicy.Builder policy) {
        select(policy, new MeshRetry.OmitPreviousHosts());
        return policy.setHostSelectionRetryMaxAttempts(SELECTION_ATTEMPTS);
    }

    private static String join(List<String> conditions, String usual) {
        return conditions.isEmpty() ? usual : String.join(",", conditions);
    }

    private static Optional<RetryPolicy.Builder> common(Common common, String conditions) {
        if (common.retries().orElse(1) == 0) {
            return Optional.empty();
        }
        RetryPolicy.Builder policy = RetryPolicy.newBuilder().setRetryOn(conditions);
        common.retries().ifPresent(number -> policy.setNumRetries(Values.number(number)));
        common.perTryTimeout().ifPresent(timeout -> policy.setPerTryTimeout(Values.duration(timeout)));
        common.backOff().ifPresent(backOff -> policy.setRetryBackOff(backOff(backOff)));
        common.rateLimited().ifPresent(backOff -> policy.setRateLimitedRetryBackOff(rateLimited(backOff)));
        return Optional.of(policy);
    }

    /** Envoy takes none without a base, and no maximum below it. */
    private static RetryPolicy.RetryBackOff backOff(BackOff backOff) {
        Duration base = backOff.base().orElse(BASE_INTERVAL);
        RetryPolicy.RetryBackOff.Builder builder =
                RetryPolicy.RetryBackOff.newBuilder().setBaseInterval(Values.duration(base));
        backOff.maximum().ifPresent(maximum ->
                builder.setMaxInterval(Values.duration(maximum.compareTo(base) < 0 ? base : maximum)));
        return builder.build();
    }

    private static RetryPolicy.RateLimitedRetryBackOff rateLimited(RateLimitedBackOff backOff) {
        RetryPolicy.RateLimitedRetryBackOff.Builder builder = RetryPolicy.RateLimitedRetryBackOff.newBuilder();
        for (ResetHeader header : backOff.headers()) {
            builder.addResetHeaders(RetryPolicy.ResetHeader.newBuilder()
                    .setName(header.name())
                    .setFormat(header.format() == ResetHeader.Format.SECONDS
                            ? RetryPolicy.ResetHeaderFormat.SECONDS
                            : RetryPolicy.ResetHeaderFormat.UNIX_TIMESTAMP));
        }
        backOff.maximum().ifPresent(maximum -> builder.setMaxInterval(Values.duration(maximum)));
        return builder.build();
    }

    private static RetryPolicy http(MeshRetry.Http http, RetryPolicy.Builder policy) {
        if (!http.statuses().isEmpty()) {
            policy.addAllRetriableStatusCodes(http.statuses()).setRetryOn(policy.getRetryOn() + "," + STATUSES);
        }
        for (String method : http.methods()) {
            policy.addRetriableRequestHeaders(HeaderMatcher.newBuilder()
                    .setName(":method")
                    .setStringMatch(StringMatcher.newBuilder().setExact(method)));
        }
        http.requestHeaders().forEach(header -> policy.addRetriableRequestHeaders(matcher(header)));
        http.responseHeaders().forEach(header -> policy.addRetriableHeaders(matcher(header)));
        http.hostSelection().orElse(List.of()).forEach(selection -> select(policy, selection));
        http.hostSelectionAttempts().ifPresent(policy::setHostSelectionRetryMaxAttempts);
        return policy.build();
    }

    private static void select(RetryPolicy.Builder policy, HostSelection selection) {
        if (selection instanceof MeshRetry.OmitPreviousHosts) {
            policy.addRetryHostPredicate(RetryHostPredicate.newBuilder()
                    .setName("envoy.retry_host_predicates.previous_hosts")
                    .setTypedConfig(Values.any(PreviousHostsPredicate.getDefaultInstance())));
        } else if (selection instanceof MeshRetry.OmitHostsWithTags tagged) {
            Struct.Builder tags = Struct.newBuilder();
            tagged.tags().forEach((key, value) -> tags.putFields(key, Value.newBuilder().setStringValue(value).build()));
            policy.addRetryHostPredicate(RetryHostPredicate.newBuilder()
                    .setName("envoy.retry_host_predicates.omit_host_metadata")
                    .setTypedConfig(Values.any(OmitHostMetadataConfig.newBuilder()
                            .setMetadataMatch(Metadata.newBuilder().putFilterMetadata("envoy.lb", tags.build()))
                            .build())));
        } else if (selection instanceof MeshRetry.OmitPreviousPriorities priorities) {
            policy.setRetryPriority(RetryPolicy.RetryPriority.newBuilder()
                    .setName("envoy.retry_priorities.previous_priorities")
                    .setTypedConfig(Values.any(PreviousPrioritiesConfig.newBuilder()
                            .setUpdateFrequency(priorities.updateFrequency())
                            .build())));
        }
    }

    /** Of a header of a request or a response. */
    private static HeaderMatcher matcher(HeaderMatch header) {
        HeaderMatcher.Builder builder = HeaderMatcher.newBuilder().setName(header.name());
        return switch (header.kind()) {
            case EXACT -> builder.setStringMatch(StringMatcher.newBuilder().setExact(header.value())).build();
            case REGEX -> builder.setStringMatch(StringMatcher.newBuilder()
                    .setSafeRegex(RegexMatcher.newBuilder().setRegex(header.value()))).build();
            case PRESENT -> builder.setPresentMatch(true).build();
            case ABSENT -> builder.setPresentMatch(false).build();
            // Envoy refuses an empty prefix.
            case PREFIX -> header.value().isEmpty()
                    ? builder.setPresentMatch(true).build()
                    : builder.setStringMatch(StringMatcher.newBuilder().setPrefix(header.value())).build();
        };
    }

    private RetryTranslator() {}
}
