package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
import io.weft.policy.proto.envoy.config.route.v3.FilterConfig;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.policy.proto.protobuf.Any;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Envoy's extension points, by the type of what is plugged in. */
final class Extensions {
    private static final String HTTP_FILTERS = "envoy.extensions.filters.http.";

    static final String HTTP_CONNECTION_MANAGER =
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    private static final String ROUTER = HTTP_FILTERS + "router.v3.Router";
    private static final String UPSTREAM_CODEC = HTTP_FILTERS + "upstream_codec.v3.UpstreamCodec";
    private static final String FILTER_CONFIG = "envoy.config.route.v3.FilterConfig";
    private static final String RAW_BUFFER = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

    /** They observe, or negotiate what only a proxy negotiates. */
    private static final Set<String> WITHOUT_EFFECT_ON_TRAFFIC = Set.of(
            HTTP_FILTERS + "grpc_stats.v3.FilterConfig",
            "stats.PluginConfig",
            "io.istio.http.peer_metadata.Config",
            "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
            "envoy.tcp.metadataexchange.config.MetadataExchange",
            "io.istio.network.peer_metadata.Config");

    /** They act only on what a configuration, their own or a route's, says. */
    private static final Set<String> WITHOUT_EFFECT_WHEN_EMPTY =
            Set.of(HTTP_FILTERS + "fault.v3.HTTPFault", HTTP_FILTERS + "cors.v3.Cors");

    private static final Set<String> SECURITY = Set.of(
            HTTP_FILTERS + "rbac.v3.RBAC",
            HTTP_FILTERS + "rbac.v3.RBACPerRoute",
            HTTP_FILTERS + "ext_authz.v3.ExtAuthz",
            HTTP_FILTERS + "ext_authz.v3.ExtAuthzPerRoute",
            HTTP_FILTERS + "jwt_authn.v3.JwtAuthentication",
            "envoy.extensions.filters.network.rbac.v3.RBAC",
            "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz");

    private Extensions() {}

    /** The message name of a type URL. */
    static String typeOf(Any any) {
        String url = any.getTypeUrl();
        return url.substring(url.lastIndexOf('/') + 1);
    }

    static boolean isSecurity(String type) {
        return SECURITY.contains(type);
    }

    static boolean isWithoutEffect(String type, ByteString config) {
        return WITHOUT_EFFECT_ON_TRAFFIC.contains(type) || config.isEmpty() && WITHOUT_EFFECT_WHEN_EMPTY.contains(type);
    }

    /** @param manager the HTTP connection manager */
    static void httpFilters(Field manager, List<HttpFilter> filters) {
        if (filters.isEmpty()) {
            throw manager.at("http_filters").refuse("is empty; the last HTTP filter must be the router (" + ROUTER + ")");
        }
        for (int i = 0; i < filters.size(); i++) {
            HttpFilter filter = filters.get(i);
            Field field = manager.at("http_filters", i);
            boolean last = i == filters.size() - 1;
            field.at("name").notEmpty(filter.getName());
            boolean router = filter.hasTypedConfig() && typeOf(filter.getTypedConfig()).equals(ROUTER);
            if (router) {
                field.refuseIf(!last, "typed_config", "the router must be the last HTTP filter; move it");
                field.refuseIf(filter.getDisabled(), "disabled", "the router cannot be disabled");
                router(field.at("typed_config"), filter.getTypedConfig());
            } else if (last) {
                throw field.refuse("the last HTTP filter must be the router (" + ROUTER + ")");
            } else {
                httpFilter(field, filter);
            }
        }
    }

    /** The filters of a cluster or of the router, which act on each attempt. */
    static void upstreamHttpFilters(Field parent, String name, List<HttpFilter> filters) {
        for (int i = 0; i < filters.size(); i++) {
            HttpFilter filter = filters.get(i);
            if (!filter.hasTypedConfig() || !typeOf(filter.getTypedConfig()).equals(UPSTREAM_CODEC)) {
                httpFilter(parent.at(name, i), filter);
            }
        }
    }

    private static void httpFilter(Field field, HttpFilter filter) {
        String type = filter.hasTypedConfig() ? typeOf(filter.getTypedConfig()) : "";
        if (filter.getDisabled()
                || filter.getIsOptional()
                || isWithoutEffect(type, filter.getTypedConfig().getValue())) {
            field.report(filter.getName());
            return;
        }
        Field config = field.at(filter.hasConfigDiscovery() ? "config_discovery" : "typed_config");
        throw config.refuse(unsupported("HTTP filter '" + filter.getName() + "'", type));
    }

    private static String unsupported(String what, String type) {
        String named = type.isEmpty() ? what : what + " (" + type + ")";
        return SECURITY.contains(type)
                ? named + " is not enforced here, so nothing would be protected; remove it for this node"
                : named + " is required but not supported; remove it, or set is_optional if traffic is right without it";
    }

    @SuppressWarnings("deprecation") // start_child_span
    private static void router(Field field, Any config) {
        Router router;
        try {
            router = Router.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + ROUTER + ": " + e.getMessage());
        }
        field.reportIf(router.getStartChildSpan(), "start_child_span");
        field.reportIf(router.getUpstreamLogCount() > 0, "upstream_log");
        field.reportIf(router.hasUpstreamLogOptions(), "upstream_log_options");
        field.reportIf(router.getStrictCheckHeadersCount() > 0, "strict_check_headers");
        field.reportIf(router.getRespectExpectedRqTimeout(), "respect_expected_rq_timeout");
        upstreamHttpFilters(field, "upstream_http_filters", router.getUpstreamHttpFiltersList());
    }

    /** {@code typed_per_filter_config} of a route configuration, virtual host, route or weighted cluster. */
    static void perFilterConfig(Field parent, Map<String, Any> configs) {
        if (configs.isEmpty()) {
            return;
        }
        for (Map.Entry<String, Any> entry : new TreeMap<>(configs).entrySet()) {
            perFilterConfig(parent.at("typed_per_filter_config", entry.getKey()), entry.getValue());
        }
    }

    private static void perFilterConfig(Field field, Any config) {
        Field at = field;
        Any inner = config;
        if (typeOf(config).equals(FILTER_CONFIG)) {
            FilterConfig wrapper;
            try {
                wrapper = FilterConfig.parseFrom(config.getValue());
            } catch (InvalidProtocolBufferException e) {
                throw field.refuse("is not a valid " + FILTER_CONFIG + ": " + e.getMessage());
            }
            if (wrapper.getDisabled() || wrapper.getIsOptional()) {
                field.report();
                return;
            }
            inner = wrapper.getConfig();
            at = field.at("config");
        }
        if (!isWithoutEffect(typeOf(inner), inner.getValue())) {
            throw at.refuse(unsupported("the HTTP filter's configuration", typeOf(inner)));
        }
        at.report();
    }

    static void plaintext(Field field, TransportSocket socket) {
        String type = socket.hasTypedConfig() ? typeOf(socket.getTypedConfig()) : "";
        boolean raw = type.isEmpty() ? socket.getName().equals("envoy.transport_sockets.raw_buffer") : type.equals(RAW_BUFFER);
        if (!raw) {
            throw field.refuse("transport socket '" + socket.getName() + "'" + (type.isEmpty() ? "" : " (" + type + ")")
                    + " is not supported yet, and without it traffic would be in plaintext; use raw_buffer, or take TLS off"
                    + " for this node");
        }
    }

    /** Everything comes over the one ADS stream. */
    static void ads(Field field, ConfigSource source) {
        if (!source.hasAds() && !source.hasSelf()) {
            throw field.refuse("only ads and self are supported; set ads: {}");
        }
    }
}
