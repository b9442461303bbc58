package io.weft.policy.parse;

import static io.weft.policy.parse.Extensions.HTTP_FILTERS;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.FilterOverrides.Disabled;
import io.weft.policy.model.FilterOverrides.Enabled;
import io.weft.policy.model.HttpFilter.Skip;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.proto.envoy.config.route.v3.FilterConfig;
import io.weft.policy.proto.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.weft.policy.proto.envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.BufferPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.http.cors.v3.CorsPolicy;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSession;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The HTTP filters of a connection manager, and what routes put in their place. */
final class HttpFilterParser {
    private static final String ROUTER = HTTP_FILTERS + "router.v3.Router";
    private static final String UPSTREAM_CODEC = HTTP_FILTERS + "upstream_codec.v3.UpstreamCodec";
    private static final String FILTER_CONFIG = "envoy.config.route.v3.FilterConfig";

    private static final String BUFFER = HTTP_FILTERS + "buffer.v3.Buffer";
    private static final String BUFFER_PER_ROUTE = HTTP_FILTERS + "buffer.v3.BufferPerRoute";
    private static final String CORS = HTTP_FILTERS + "cors.v3.Cors";
    private static final String CORS_POLICY = HTTP_FILTERS + "cors.v3.CorsPolicy";
    private static final String FAULT = HTTP_FILTERS + "fault.v3.HTTPFault";
    private static final String HEADER_MUTATION = HTTP_FILTERS + "header_mutation.v3.HeaderMutation";
    private static final String HEADER_MUTATION_PER_ROUTE = HTTP_FILTERS + "header_mutation.v3.HeaderMutationPerRoute";
    private static final String LOCAL_RATE_LIMIT = HTTP_FILTERS + "local_ratelimit.v3.LocalRateLimit";

    private static final String RBAC = HTTP_FILTERS + "rbac.v3.RBAC";
    private static final String RBAC_PER_ROUTE = HTTP_FILTERS + "rbac.v3.RBACPerRoute";
    private static final String JWT = HTTP_FILTERS + "jwt_authn.v3.JwtAuthentication";
    private static final String JWT_PER_ROUTE = HTTP_FILTERS + "jwt_authn.v3.PerRouteConfig";
    private static final String WITH_MATCHER = "envoy.extensions.common.matching.v3.ExtensionWithMatcher";
    private static final String SKIP = "envoy.extensions.filters.common.matcher.action.v3.SkipFilter";
    private static final String MATCHER_PER_ROUTE = "envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute";
    private static final String SET_FILTER_STATE = HTTP_FILTERS + "set_filter_state.v3.Config";
    private static final String SESSION = HTTP_FILTERS + "stateful_session.v3.StatefulSession";
    private static final String SESSION_PER_ROUTE = HTTP_FILTERS + "stateful_session.v3.StatefulSessionPerRoute";

    private HttpFilterParser() {}

    /** @return null when the type is not supported */
    private static io.weft.policy.model.HttpFilter filter(Field field, String type, ByteString config)
            throws InvalidProtocolBufferException {
        switch (type) {
            case SESSION:
                return StatefulSessionParser.parse(field, StatefulSession.parseFrom(config));
            case BUFFER:
                return buffer(field, Buffer.parseFrom(config));
            case RBAC:
                return new io.weft.policy.model.HttpFilter.AccessControl(RbacParser.http(field, config));
            case JWT:
                return new io.weft.policy.model.HttpFilter.TokenAuthentication(JwtParser.parse(field, config));
            case WITH_MATCHER:
                return conditional(field, ExtensionWithMatcher.parseFrom(config));
            case LOCAL_RATE_LIMIT:
                return RateLimitParser.filter(field, LocalRateLimit.parseFrom(config));
            case FAULT:
                return FaultParser.filter(field, HTTPFault.parseFrom(config));
            case HEADER_MUTATION:
                HeaderMutation mutation = HeaderMutation.parseFrom(config);
                return HeaderMutationParser.filter(
                        field.at("mutations"), mutation.getMutations(), mutation.getMostSpecificHeaderMutationsWins());
            case SET_FILTER_STATE:
                return FilterStateParser.parse(field, Config.parseFrom(config));
            case CORS:
                return new io.weft.policy.model.HttpFilter.Cors(Optional.empty());
            default:
                return null;
        }
    }

    /** @return null when the type is not supported */
    private static FilterOverrides.Override override(Field field, String type, ByteString config)
            throws InvalidProtocolBufferException {
        switch (type) {
            case SESSION_PER_ROUTE:
                return StatefulSessionParser.override(field, StatefulSessionPerRoute.parseFrom(config));
            case BUFFER_PER_ROUTE:
                BufferPerRoute buffer = BufferPerRoute.parseFrom(config);
                field.refuseIf(!buffer.hasBuffer() && !buffer.getDisabled(), "disabled", "must be true; or set buffer");
                return buffer.hasBuffer() ? new Configured(buffer(field.at("buffer"), buffer.getBuffer())) : new Disabled();
            case RBAC_PER_ROUTE:
                return new Configured(
                        new io.weft.policy.model.HttpFilter.AccessControl(RbacParser.perRoute(field, config)));
            case JWT_PER_ROUTE:
                return JwtParser.perRoute(field, config);
            case MATCHER_PER_ROUTE:
                return new Configured(new io.weft.policy.model.HttpFilter.ConditionOfRoute(
                        condition(field, ExtensionWithMatcherPerRoute.parseFrom(config).getXdsMatcher())));
            case LOCAL_RATE_LIMIT:
                LocalRateLimit limit = LocalRateLimit.parseFrom(config);
                field.refuseIf(!limit.hasTokenBucket(), "token_bucket", "is missing");
                return new Configured(RateLimitParser.filter(field, limit));
            case FAULT:
                return new Configured(FaultParser.filter(field, HTTPFault.parseFrom(config)));
            case HEADER_MUTATION_PER_ROUTE:
                return new Configured(HeaderMutationParser.filter(
                        field.at("mutations"), HeaderMutationPerRoute.parseFrom(config).getMutations(), false));
            case SET_FILTER_STATE:
                return new Configured(FilterStateParser.parse(field, Config.parseFrom(config)));
            case CORS_POLICY:
                return new Configured(CorsParser.policy(field, CorsPolicy.parseFrom(config)));
            default:
                return null;
        }
    }

    private static io.weft.policy.model.HttpFilter buffer(Field field, Buffer buffer) {
        field.refuseIf(buffer.getMaxRequestBytes().getValue() == 0, "max_request_bytes", "must be greater than zero");
        return new io.weft.policy.model.HttpFilter.Buffer(
                Integer.toUnsignedLong(buffer.getMaxRequestBytes().getValue()));
    }

    @SuppressWarnings("deprecation") // the matcher before xDS's own is refused
    private static io.weft.policy.model.HttpFilter conditional(Field field, ExtensionWithMatcher extension)
            throws InvalidProtocolBufferException {
        field.refuseIf(!extension.getMatcher().isEmpty(), "matcher", "is not supported; use xds_matcher");
        field.refuseIf(!extension.hasXdsMatcher(), "xds_matcher", "is missing");
        Any config = extension.getExtensionConfig().getTypedConfig();
        String type = Extensions.typeOf(config);
        Field at = field.at("extension_config").at("typed_config");
        if (type.equals(WITH_MATCHER)) {
            throw at.refuse("a matcher within a matcher is not supported; join the two");
        }
        io.weft.policy.model.HttpFilter filter;
        try {
            filter = filter(at, type, config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw invalid(at, config, e);
        }
        if (filter == null) {
            throw at.refuse(unsupported("HTTP filter '" + extension.getExtensionConfig().getName() + "'", type));
        }
        return new io.weft.policy.model.HttpFilter.Conditional(condition(field, extension.getXdsMatcher()), filter);
    }

    private static MatchTree<Skip> condition(Field field, Matcher matcher) {
        return new MatchTreeParser<>(MatchTreeParser.Scope.REQUEST, HttpFilterParser::skip)
                .parse(field.at("xds_matcher"), matcher);
    }

    private static Skip skip(Field field, Any action) {
        if (!Extensions.typeOf(action).equals(SKIP)) {
            throw field.refuse("'" + Extensions.typeOf(action) + "' is not supported; use " + SKIP);
        }
        return new Skip();
    }

    /** @param manager the HTTP connection manager */
    static List<NamedFilter> filters(Field manager, List<HttpFilter> filters) {
        if (filters.isEmpty()) {
            throw manager.at("http_filters").refuse("is empty; the last HTTP filter must be the router (" + ROUTER + ")");
        }
        List<NamedFilter> named = new ArrayList<>(filters.size());
        for (int i = 0; i < filters.size(); i++) {
            HttpFilter filter = filters.get(i);
            Field field = manager.at("http_filters", i);
            boolean last = i == filters.size() - 1;
            field.at("name").notEmpty(filter.getName());
            boolean router = filter.hasTypedConfig() && Extensions.typeOf(filter.getTypedConfig()).equals(ROUTER);
            if (router) {
                field.refuseIf(!last, "typed_config", "the router must be the last HTTP filter; move it");
                field.refuseIf(filter.getDisabled(), "disabled", "the router cannot be disabled");
                router(field.at("typed_config"), filter.getTypedConfig());
            } else if (last) {
                throw field.refuse("the last HTTP filter must be the router (" + ROUTER + ")");
            } else {
                add(field, filter, named);
            }
        }
        return named;
    }

    private static void add(Field field, HttpFilter filter, List<NamedFilter> named) {
        io.weft.policy.model.HttpFilter parsed = null;
        if (filter.hasTypedConfig()) {
            Any config = filter.getTypedConfig();
            Field at = field.at("typed_config");
            try {
                parsed = filter(at, Extensions.typeOf(config), config.getValue());
            } catch (InvalidProtocolBufferException e) {
                throw invalid(at, config, e);
            }
        }
        if (parsed == null) {
            unsupported(field, filter);
        } else {
            named.add(new NamedFilter(filter.getName(), parsed, filter.getDisabled()));
        }
    }

    /** The filters of a cluster or of the router, which act on each attempt. */
    static void upstreamFilters(Field parent, String name, List<HttpFilter> filters) {
        for (int i = 0; i < filters.size(); i++) {
            HttpFilter filter = filters.get(i);
            if (!filter.hasTypedConfig() || !Extensions.typeOf(filter.getTypedConfig()).equals(UPSTREAM_CODEC)) {
                unsupported(parent.at(name, i), filter);
            }
        }
    }

    private static void unsupported(Field field, HttpFilter filter) {
        String type = filter.hasTypedConfig() ? Extensions.typeOf(filter.getTypedConfig()) : "";
        if (filter.getDisabled()
                || filter.getIsOptional()
                || Extensions.isWithoutEffect(filter.getTypedConfig())) {
            field.report(filter.getName());
            return;
        }
        field.refuseIf(filter.hasConfigDiscovery(), "config_discovery",
                "is not supported, and the filter is required; use typed_config, or set is_optional if traffic is right without it");
        throw field.at("typed_config").refuse(unsupported("HTTP filter '" + filter.getName() + "'", type));
    }

    private static String unsupported(String what, String type) {
        String named = type.isEmpty() ? what : what + " (" + type + ")";
        return Extensions.isSecurity(type)
                ? named + " is not enforced here, so nothing would be protected; remove it for this node"
                : named + " is required but not supported; remove it, or set is_optional if traffic is right without it";
    }

    @SuppressWarnings("deprecation") // start_child_span
    private static void router(Field field, Any config) {
        Router router;
        try {
            router = Router.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw invalid(field, config, e);
        }
        field.reportIf(router.getStartChildSpan(), "start_child_span");
        field.reportIf(router.getUpstreamLogCount() > 0, "upstream_log");
        field.reportIf(router.hasUpstreamLogOptions(), "upstream_log_options");
        field.reportIf(router.getStrictCheckHeadersCount() > 0, "strict_check_headers");
        field.reportIf(router.getRespectExpectedRqTimeout(), "respect_expected_rq_timeout");
        upstreamFilters(field, "upstream_http_filters", router.getUpstreamHttpFiltersList());
    }

    /** {@code typed_per_filter_config} of a route configuration, virtual host, route or weighted cluster. */
    static FilterOverrides overrides(Field parent, Map<String, Any> configs) {
        if (configs.isEmpty()) {
            return FilterOverrides.NONE;
        }
        Map<String, FilterOverrides.Override> overrides = new TreeMap<>();
        for (Map.Entry<String, Any> entry : new TreeMap<>(configs).entrySet()) {
            Field field = parent.at("typed_per_filter_config", entry.getKey());
            overrides.put(entry.getKey(), override(field, entry.getValue()));
        }
        return new FilterOverrides(overrides);
    }

    private static FilterOverrides.Override override(Field field, Any config) {
        if (!Extensions.typeOf(config).equals(FILTER_CONFIG)) {
            return configured(field, config, false);
        }
        FilterConfig wrapper;
        try {
            wrapper = FilterConfig.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw invalid(field, config, e);
        }
        if (wrapper.getDisabled()) {
            return new Disabled();
        }
        field.refuseIf(!wrapper.hasConfig(), "config", "is missing; set it, an empty one to enable the filter as it is");
        return wrapper.getConfig().getTypeUrl().isEmpty()
                ? new Enabled()
                : configured(field.at("config"), wrapper.getConfig(), wrapper.getIsOptional());
    }

    private static FilterOverrides.Override configured(Field field, Any config, boolean optional) {
        String type = Extensions.typeOf(config);
        FilterOverrides.Override override;
        try {
            override = override(field, type, config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw invalid(field, config, e);
        }
        if (override != null) {
            return override;
        }
        if (!optional && !Extensions.isWithoutEffect(config)) {
            throw field.refuse(unsupported("the HTTP filter's configuration", type));
        }
        field.report();
        return new Enabled();
    }

    private static Refusal invalid(Field field, Any config, InvalidProtocolBufferException e) {
        return field.refuse("is not a valid " + Extensions.typeOf(config) + ": " + e.getMessage());
    }
}
