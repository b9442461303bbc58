package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.PerTry;
import io.weft.policy.model.RetryPolicy.RateLimitedBackOff;
import io.weft.policy.model.RetryPolicy.ResetFormat;
import io.weft.policy.model.RetryPolicy.ResetHeader;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryPriority;
import io.weft.policy.proto.envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig;
import io.weft.policy.proto.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.Struct;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** {@code envoy.config.route.v3.RetryPolicy}. */
final class RetryPolicyParser {
    private static final String PREVIOUS_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    private static final String OMIT_CANARY_HOSTS =
            "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate";
    private static final String OMIT_HOST_METADATA =
            "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig";
    private static final String PREVIOUS_PRIORITIES =
            "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
    private static final Duration LEAST_BASE = Duration.ofMillis(1);
    private static final int MAX_TO_BASE = 10;
    private static final Duration DEFAULT_MAX_RESET = Duration.ofSeconds(300);
    private static final Map<String, On> BY_TOKEN = new HashMap<>();

    static {
        for (On on : On.values()) {
            BY_TOKEN.put(on.token(), on);
        }
    }

    private RetryPolicyParser() {}

    static RetryPolicy parse(Field field, io.weft.policy.proto.envoy.config.route.v3.RetryPolicy policy) {
        field.reportIf(policy.getRetryOptionsPredicatesCount() > 0, "retry_options_predicates");

        boolean previousHosts = false;
        boolean omitCanaryHosts = false;
        List<Map<String, Object>> omitLabels = new ArrayList<>();
        for (int i = 0; i < policy.getRetryHostPredicateCount(); i++) {
            var predicate = policy.getRetryHostPredicate(i);
            Field at = field.at("retry_host_predicate", i);
            String type = predicate.hasTypedConfig() ? Extensions.typeOf(predicate.getTypedConfig()) : predicate.getName();
            switch (type) {
                case PREVIOUS_HOSTS, "envoy.retry_host_predicates.previous_hosts" -> previousHosts = true;
                case OMIT_CANARY_HOSTS, "envoy.retry_host_predicates.omit_canary_hosts" -> omitCanaryHosts = true;
                case OMIT_HOST_METADATA -> omitLabels.add(omitLabels(at.at("typed_config"), predicate.getTypedConfig()));
                // Another one would say where retries must not go, and Envoy itself refuses what it does not know.
                default -> throw at.refuse("'" + predicate.getName()
                        + "' is not supported; use previous_hosts, omit_canary_hosts or omit_host_metadata");
            }
        }

        return new RetryPolicy(
                new Conditions(
                        conditions(field, policy.getRetryOn()),
                        statusCodes(field, policy),
                        MatchParser.headers(field, "retriable_headers", policy.getRetriableHeadersList()),
                        MatchParser.headers(field, "retriable_request_headers", policy.getRetriableRequestHeadersList())),
                policy.hasNumRetries() ? Field.limit(policy.getNumRetries().getValue()) : 1,
                new PerTry(
                        field.at("per_try_timeout").notNegative(policy.getPerTryTimeout()),
                        field.at("per_try_idle_timeout").notNegative(policy.getPerTryIdleTimeout())),
                backOff(field, policy),
                policy.hasRateLimitedRetryBackOff()
                        ? Optional.of(rateLimited(
                                field.at("rate_limited_retry_back_off"), policy.getRateLimitedRetryBackOff()))
                        : Optional.empty(),
                new HostSelection(
                        previousHosts,
                        omitCanaryHosts,
                        omitLabels,
                        (int) Math.min(Integer.MAX_VALUE, Math.max(1, policy.getHostSelectionRetryMaxAttempts())),
                        policy.hasRetryPriority()
                                ? previousPriorities(field.at("retry_priority"), policy.getRetryPriority())
                                : OptionalInt.empty()));
    }

    /** Another plugin would say where retries go, and there is no other in Envoy itself. */
    private static OptionalInt previousPriorities(Field field, RetryPriority priority) {
        String type = priority.hasTypedConfig() ? Extensions.typeOf(priority.getTypedConfig()) : priority.getName();
        if (!type.equals(PREVIOUS_PRIORITIES)) {
            throw field.refuse("'" + priority.getName() + "' is not supported; use envoy.retry_priorities.previous_priorities");
        }
        Field config = field.at("typed_config");
        try {
            int frequency = PreviousPrioritiesConfig.parseFrom(priority.getTypedConfig().getValue()).getUpdateFrequency();
            config.refuseIf(frequency <= 0, "update_frequency", "must be above zero, is " + frequency);
            return OptionalInt.of(frequency);
        } catch (InvalidProtocolBufferException e) {
            throw config.refuse("is not a valid " + PREVIOUS_PRIORITIES + ": " + e.getMessage());
        }
    }

    /** Only the namespace of load balancing means something; without labels in it nobody is left out. */
    private static Map<String, Object> omitLabels(Field field, Any config) {
        try {
            return StructParser.parse(OmitHostMetadataConfig.parseFrom(config.getValue())
                    .getMetadataMatch()
                    .getFilterMetadataOrDefault(EndpointParser.LB_METADATA, Struct.getDefaultInstance()));
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + OMIT_HOST_METADATA + ": " + e.getMessage());
        }
    }

    private static BackOff backOff(Field field, io.weft.policy.proto.envoy.config.route.v3.RetryPolicy policy) {
        if (!policy.hasRetryBackOff()) {
            return BackOff.DEFAULT;
        }
        var backOff = policy.getRetryBackOff();
        Field at = field.at("retry_back_off");
        at.refuseIf(!backOff.hasBaseInterval(), "base_interval", "is missing");
        Duration base = at.at("base_interval").positive(backOff.getBaseInterval());
        base = base.compareTo(LEAST_BASE) < 0 ? LEAST_BASE : base;
        if (!backOff.hasMaxInterval()) {
            return new BackOff(base, base.multipliedBy(MAX_TO_BASE));
        }
        Duration max = at.at("max_interval").positive(backOff.getMaxInterval());
        max = max.compareTo(LEAST_BASE) < 0 ? LEAST_BASE : max;
        at.refuseIf(max.compareTo(base) < 0, "max_interval", "must not be less than base_interval");
        return new BackOff(base, max);
    }

    private static RateLimitedBackOff rateLimited(
            Field field, io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff backOff) {
        field.refuseIf(backOff.getResetHeadersCount() == 0, "reset_headers", "is empty; name at least one header");
        List<ResetHeader> headers = new ArrayList<>(backOff.getResetHeadersCount());
        for (int i = 0; i < backOff.getResetHeadersCount(); i++) {
            var header = backOff.getResetHeaders(i);
            Field at = field.at("reset_headers", i);
            String name = at.at("name").headerText(at.at("name").notEmpty(header.getName())).toLowerCase(Locale.ROOT);
            switch (header.getFormat()) {
                case SECONDS -> headers.add(new ResetHeader(name, ResetFormat.SECONDS));
                case UNIX_TIMESTAMP -> headers.add(new ResetHeader(name, ResetFormat.UNIX_TIMESTAMP));
                default -> throw at.at("format").refuse("is unknown");
            }
        }
        return new RateLimitedBackOff(
                headers,
                backOff.hasMaxInterval() ? field.at("max_interval").positive(backOff.getMaxInterval()) : DEFAULT_MAX_RESET);
    }

    private static Set<On> conditions(Field field, String retryOn) {
        Set<On> on = EnumSet.noneOf(On.class);
        for (String token : retryOn.split(",")) {
            String condition = token.trim();
            On known = BY_TOKEN.get(condition);
            if (known != null) {
                on.add(known);
            } else if (!condition.isEmpty()) {
                // Envoy, too, lets conditions that it does not know have no effect.
                field.at("retry_on").report(condition);
            }
        }
        return on;
    }

    private static Set<Integer> statusCodes(
            Field field, io.weft.policy.proto.envoy.config.route.v3.RetryPolicy policy) {
        Set<Integer> codes = new HashSet<>();
        for (int i = 0; i < policy.getRetriableStatusCodesCount(); i++) {
            codes.add(field.at("retriable_status_codes", i).quantity(policy.getRetriableStatusCodes(i)));
        }
        return codes;
    }
}
