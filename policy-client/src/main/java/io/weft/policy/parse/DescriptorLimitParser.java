package io.weft.policy.parse;

import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.DescriptorLimits.Bucket;
import io.weft.policy.model.DescriptorLimits.OfRoutes;
import io.weft.policy.model.DescriptorLimits.VirtualHosts;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.RateLimit;
import io.weft.policy.model.RateLimit.Entry;
import io.weft.policy.proto.envoy.config.route.v3.QueryParameterMatcher;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit.Action;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit.HitsAddend;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.protobuf.UInt32Value;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The buckets of a local rate limit that are for descriptors, and the {@code rate_limits} that say which a request has. */
final class DescriptorLimitParser {
    private static final int MAX_STAGE = 10;
    private static final int MAX_HITS = 1_000_000_000;
    private static final int MOST_VALUES = 20;

    private DescriptorLimitParser() {}

    static DescriptorLimits parse(Field field, LocalRateLimit limit) {
        int stage = limit.getStage();
        field.refuseIf(stage < 0 || stage > MAX_STAGE, "stage", "must be 0 to 10");
        int mostValues = limit.hasMaxDynamicDescriptors() ? limit.getMaxDynamicDescriptors().getValue() : MOST_VALUES;
        field.refuseIf(mostValues == 0, "max_dynamic_descriptors", "must be at least 1");
        return new DescriptorLimits(
                buckets(field, limit.getDescriptorsList()),
                own(field, limit.getRateLimitsList()),
                new OfRoutes(stage, switch (limit.getVhRateLimits()) {
                    case OVERRIDE -> VirtualHosts.OVERRIDE;
                    case INCLUDE -> VirtualHosts.INCLUDE;
                    case IGNORE -> VirtualHosts.IGNORE;
                    case UNRECOGNIZED -> throw field.at("vh_rate_limits").refuse("is unknown");
                }),
                !limit.hasAlwaysConsumeDefaultTokenBucket() || limit.getAlwaysConsumeDefaultTokenBucket().getValue(),
                Field.limit(mostValues));
    }

    private static List<Bucket> buckets(Field parent, List<LocalRateLimitDescriptor> descriptors) {
        List<Bucket> buckets = new ArrayList<>(descriptors.size());
        Set<List<Entry>> known = new HashSet<>();
        for (int i = 0; i < descriptors.size(); i++) {
            Field field = parent.at("descriptors", i);
            LocalRateLimitDescriptor descriptor = descriptors.get(i);
            field.refuseIf(descriptor.getEntriesCount() == 0, "entries", "is empty; name at least one");
            List<Entry> entries = new ArrayList<>(descriptor.getEntriesCount());
            for (int j = 0; j < descriptor.getEntriesCount(); j++) {
                RateLimitDescriptor.Entry entry = descriptor.getEntries(j);
                field.at("entries", j).at("key").notEmpty(entry.getKey());
                entries.add(new Entry(entry.getKey(), entry.getValue()));
            }
            field.refuseIf(!known.add(entries), "entries", "are those of another descriptor");
            field.refuseIf(!descriptor.hasTokenBucket(), "token_bucket", "is missing");
            buckets.add(new Bucket(entries, RateLimitParser.bucket(field.at("token_bucket"), descriptor.getTokenBucket())));
        }
        return buckets;
    }

    /** What is not known of a request would leave it without a limit that is meant for it. */
    private static List<RateLimit> own(Field parent, List<io.weft.policy.proto.envoy.config.route.v3.RateLimit> limits) {
        List<RateLimit> own = new ArrayList<>(limits.size());
        for (int i = 0; i < limits.size(); i++) {
            io.weft.policy.proto.envoy.config.route.v3.RateLimit limit = limits.get(i);
            Field field = parent.at("rate_limits", i);
            field.refuseIf(limit.hasStage(), "stage", "is not for the filter's own");
            field.refuseIf(!limit.getDisableKey().isEmpty(), "disable_key", "is not for the filter's own");
            field.refuseIf(limit.hasLimit(), "limit", "is not supported; use the descriptor's token_bucket");
            int hits = limit.hasHitsAddend() ? hits(field.at("hits_addend"), limit.getHitsAddend()) : 1;
            field.refuseIf(limit.getApplyOnStreamDone(), "apply_on_stream_done", "is not supported; a request takes its token first");
            field.refuseIf(limit.getActionsCount() == 0, "actions", "is empty; name at least one");
            List<RateLimit.Action> actions = new ArrayList<>(limit.getActionsCount());
            for (int j = 0; j < limit.getActionsCount(); j++) {
                Field at = field.at("actions", j);
                RateLimit.Action action = action(at, limit.getActions(j));
                if (action == null) {
                    throw at.refuse("is not supported; use generic_key, request_headers, query_parameters, header_value_match, "
                            + "query_parameter_value_match, remote_address, masked_remote_address or destination_cluster");
                }
                actions.add(action);
            }
            own.add(new RateLimit(0, actions, hits));
        }
        return own;
    }

    private static int hits(Field field, HitsAddend addend) {
        field.refuseIf(!addend.getFormat().isEmpty(), "format", "is not supported; use number");
        long number = addend.getNumber().getValue();
        if (number < 1 || number > MAX_HITS) {
            throw field.at("number").refuse("must be 1 to " + MAX_HITS);
        }
        return (int) number;
    }

    /**
     * Of a route or a virtual host. They are also for filters that are not there: one that nothing here understands is reported, and
     * no request has such a descriptor.
     */
    static List<RateLimit> ofRoute(Field parent, List<io.weft.policy.proto.envoy.config.route.v3.RateLimit> limits) {
        List<RateLimit> ofRoute = new ArrayList<>(limits.size());
        for (int i = 0; i < limits.size(); i++) {
            io.weft.policy.proto.envoy.config.route.v3.RateLimit limit = limits.get(i);
            Field field = parent.at("rate_limits", i);
            int stage = limit.getStage().getValue();
            field.refuseIf(stage < 0 || stage > MAX_STAGE, "stage", "must be 0 to 10");
            field.refuseIf(limit.getActionsCount() == 0, "actions", "is empty; name at least one");
            field.reportIf(limit.hasLimit(), "limit");
            field.reportIf(limit.hasHitsAddend(), "hits_addend");
            field.reportIf(limit.getApplyOnStreamDone(), "apply_on_stream_done");
            field.reportIf(!limit.getDisableKey().isEmpty(), "disable_key");
            List<RateLimit.Action> actions = new ArrayList<>(limit.getActionsCount() + 1);
            if (!limit.getDisableKey().isEmpty()) {
                // It could be switched off, which Envoy's local limits take for off.
                actions.add(new RateLimit.Untold());
            }
            for (int j = 0; j < limit.getActionsCount(); j++) {
                RateLimit.Action action = action(field.at("actions", j), limit.getActions(j));
                if (action == null) {
                    field.at("actions", j).report();
                }
                actions.add(action == null ? new RateLimit.Untold() : action);
            }
            ofRoute.add(new RateLimit(stage, actions, 1));
        }
        return ofRoute;
    }

    /** @return null: not supported */
    private static RateLimit.Action action(Field field, Action action) {
        switch (action.getActionSpecifierCase()) {
            case GENERIC_KEY:
                Action.GenericKey generic = action.getGenericKey();
                return new RateLimit.GenericKey(entry(
                        field.at("generic_key"), generic.getDescriptorKey(), "generic_key", generic.getDescriptorValue()));
            case REQUEST_HEADERS:
                Action.RequestHeaders header = action.getRequestHeaders();
                Field at = field.at("request_headers");
                return new RateLimit.RequestHeader(
                        at.at("header_name").notEmpty(header.getHeaderName()).toLowerCase(Locale.ROOT),
                        at.at("descriptor_key").notEmpty(header.getDescriptorKey()),
                        header.getSkipIfAbsent());
            case QUERY_PARAMETERS:
                Action.QueryParameters parameter = action.getQueryParameters();
                Field ofParameter = field.at("query_parameters");
                return new RateLimit.QueryParameter(
                        ofParameter.at("query_parameter_name").notEmpty(parameter.getQueryParameterName()),
                        ofParameter.at("descriptor_key").notEmpty(parameter.getDescriptorKey()),
                        parameter.getSkipIfAbsent());
            case HEADER_VALUE_MATCH:
                Action.HeaderValueMatch headers = action.getHeaderValueMatch();
                Field ofHeaders = field.at("header_value_match");
                ofHeaders.refuseIf(headers.getHeadersCount() == 0, "headers", "is empty; name at least one");
                return new RateLimit.HeaderValueMatch(
                        entry(ofHeaders, headers.getDescriptorKey(), "header_match", headers.getDescriptorValue()),
                        MatchParser.headers(ofHeaders, "headers", headers.getHeadersList()),
                        !headers.hasExpectMatch() || headers.getExpectMatch().getValue());
            case QUERY_PARAMETER_VALUE_MATCH:
                Action.QueryParameterValueMatch query = action.getQueryParameterValueMatch();
                Field ofQuery = field.at("query_parameter_value_match");
                return new RateLimit.QueryParameterValueMatch(
                        entry(ofQuery, query.getDescriptorKey(), "query_match", query.getDescriptorValue()),
                        parameters(ofQuery, query.getQueryParametersList()),
                        !query.hasExpectMatch() || query.getExpectMatch().getValue());
            case REMOTE_ADDRESS:
                return new RateLimit.RemoteAddress();
            case MASKED_REMOTE_ADDRESS:
                Action.MaskedRemoteAddress masked = action.getMaskedRemoteAddress();
                Field network = field.at("masked_remote_address");
                return new RateLimit.MaskedRemoteAddress(
                        length(network.at("v4_prefix_mask_len"), masked.hasV4PrefixMaskLen(), masked.getV4PrefixMaskLen(), 32),
                        length(network.at("v6_prefix_mask_len"), masked.hasV6PrefixMaskLen(), masked.getV6PrefixMaskLen(), 128));
            case DESTINATION_CLUSTER:
                return new RateLimit.DestinationCluster();
            default:
                return null;
        }
    }

    private static int length(Field field, boolean set, UInt32Value length, int most) {
        if (!set) {
            return most;
        }
        if (length.getValue() < 0 || length.getValue() > most) {
            throw field.refuse("must be 0 to " + most);
        }
        return length.getValue();
    }

    private static List<QueryMatch> parameters(Field parent, List<QueryParameterMatcher> matchers) {
        parent.refuseIf(matchers.isEmpty(), "query_parameters", "is empty; name at least one");
        List<QueryMatch> parameters = new ArrayList<>(matchers.size());
        for (int i = 0; i < matchers.size(); i++) {
            parameters.add(MatchParser.query(parent.at("query_parameters", i), matchers.get(i)));
        }
        return parameters;
    }

    private static Entry entry(Field field, String key, String otherwise, String value) {
        field.at("descriptor_value").notEmpty(value);
        // The newest versions take it for a format.
        field.refuseIf(value.contains("%"), "descriptor_value", "with a command operator is not supported; use request_headers");
        return new Entry(key.isEmpty() ? otherwise : key, value);
    }
}
