package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.ClientAddress;
import io.weft.policy.model.ClientCertificateHeader;
import io.weft.policy.model.ClientCertificateHeader.Detail;
import io.weft.policy.model.ClientCertificateHeader.Mode;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.ConnectionLimits;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.RouteSource;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.PathNormalization;
import io.weft.policy.model.PathNormalization.EscapedSlashes;
import io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions;
import io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions.HeadersWithUnderscoresAction;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ServerHeaderTransformation;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails;
import io.weft.policy.proto.protobuf.Any;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** {@code envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager}. */
final class HttpConnectionManagerParser {
    private static final int MAX_HEADERS_KB = 8192;
    private static final Duration STREAM_IDLE_TIMEOUT = Duration.ofMinutes(5);

    private HttpConnectionManagerParser() {}

    /** @param kind of the listener */
    static HttpConnectionManager parse(Field field, Any config, Kind kind) {
        io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager;
        try {
            manager = io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                    .parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + Extensions.HTTP_CONNECTION_MANAGER + ": " + e.getMessage());
        }
        refuseUnsupported(field, manager);
        reportWithoutEffect(field, manager);
        List<NamedFilter> filters = HttpFilterParser.filters(field, manager.getHttpFiltersList());
        return new HttpConnectionManager(manager.getStatPrefix(), routes(field, manager), filters, edge(field, manager, kind), limits(field, manager, kind))
                .behind(AccessLogParser.parse(field, manager.getAccessLogList()))
                .behind(manager.hasTracing() ? TracingParser.parse(field.at("tracing"), manager.getTracing()) : List.of());
    }

    private static RouteSource routes(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager) {
        switch (manager.getRouteSpecifierCase()) {
            case ROUTE_CONFIG:
                return new HttpConnectionManager.Inline(
                        RouteConfigurationParser.parse(field.at("route_config"), manager.getRouteConfig()));
            case RDS:
                Field rds = field.at("rds");
                Extensions.ads(rds.at("config_source"), manager.getRds().getConfigSource());
                return new HttpConnectionManager.Named(
                        rds.at("route_config_name").notEmpty(manager.getRds().getRouteConfigName()));
            case SCOPED_ROUTES:
                throw field.at("scoped_routes").refuse("are not supported; use rds or route_config");
            default:
                throw field.refuse("has no routes; set rds or route_config");
        }
    }

    /** For what comes in; what the app sends goes out as the app writes it. */
    private static Edge edge(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager,
            Kind kind) {
        PathNormalization paths = new PathNormalization(
                manager.getNormalizePath().getValue(),
                manager.getMergeSlashes(),
                escapedSlashes(field.at("path_with_escaped_slashes_action"), manager.getPathWithEscapedSlashesAction()));
        int hops = field.at("xff_num_trusted_hops").quantity(manager.getXffNumTrustedHops());
        return new Edge(
                paths,
                new ClientAddress(manager.getUseRemoteAddress().getValue(), hops),
                clientCertificate(field, manager, kind),
                connection(field.at("common_http_protocol_options"), manager.getCommonHttpProtocolOptions(), kind));
    }

    /** The connections of the app's client are its own. */
    private static ConnectionLimits connection(Field options, HttpProtocolOptions common, Kind kind) {
        if (kind != Kind.INBOUND) {
            options.reportIf(common.hasMaxConnectionDuration(), "max_connection_duration", common.getMaxConnectionDuration());
            options.reportIf(common.hasMaxRequestsPerConnection(), "max_requests_per_connection");
            return ConnectionLimits.NONE;
        }
        return new ConnectionLimits(
                options.at("max_connection_duration").notNegative(common.getMaxConnectionDuration()),
                Field.limit(common.getMaxRequestsPerConnection().getValue()));
    }

    private static ClientCertificateHeader clientCertificate(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager,
            Kind kind) {
        if (kind != Kind.INBOUND) {
            field.reportIf(manager.getForwardClientCertDetails() != ForwardClientCertDetails.SANITIZE,
                    "forward_client_cert_details");
            field.reportIf(manager.hasSetCurrentClientCertDetails(), "set_current_client_cert_details");
            return ClientCertificateHeader.SANITIZE;
        }
        Mode mode = switch (manager.getForwardClientCertDetails()) {
            case SANITIZE -> Mode.SANITIZE;
            case FORWARD_ONLY -> Mode.FORWARD_ONLY;
            case APPEND_FORWARD -> Mode.APPEND_FORWARD;
            case SANITIZE_SET -> Mode.SANITIZE_SET;
            case ALWAYS_FORWARD_ONLY -> Mode.ALWAYS_FORWARD_ONLY;
            case UNRECOGNIZED -> throw field.at("forward_client_cert_details").refuse("is unknown");
        };
        SetCurrentClientCertDetails wanted = manager.getSetCurrentClientCertDetails();
        Set<Detail> details = EnumSet.noneOf(Detail.class);
        add(details, Detail.SUBJECT, wanted.getSubject().getValue());
        add(details, Detail.CERT, wanted.getCert());
        add(details, Detail.CHAIN, wanted.getChain());
        add(details, Detail.DNS, wanted.getDns());
        add(details, Detail.URI, wanted.getUri());
        return new ClientCertificateHeader(mode, details);
    }

    private static void add(Set<Detail> details, Detail detail, boolean wanted) {
        if (wanted) {
            details.add(detail);
        }
    }

    private static StreamLimits limits(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager,
            Kind kind) {
        HttpProtocolOptions common = manager.getCommonHttpProtocolOptions();
        Field options = field.at("common_http_protocol_options");
        if (kind == Kind.INBOUND) {
            // What the app does with a request it has begun cannot be ended.
            field.reportIf(manager.hasStreamIdleTimeout(), "stream_idle_timeout", manager.getStreamIdleTimeout());
            options.reportIf(common.hasMaxStreamDuration(), "max_stream_duration", common.getMaxStreamDuration());
            return new StreamLimits(Duration.ZERO, Duration.ZERO, headerBytes(field.at("max_request_headers_kb"), manager));
        }
        // The app's own library, and the server behind it, have limits of their own.
        field.reportIf(manager.hasMaxRequestHeadersKb(), "max_request_headers_kb");
        // An API listener is a client's that has no proxy, and there no such limit is known unless it is set.
        Duration idle = kind == Kind.API ? Duration.ZERO : STREAM_IDLE_TIMEOUT;
        return new StreamLimits(
                manager.hasStreamIdleTimeout() ? field.at("stream_idle_timeout").notNegative(manager.getStreamIdleTimeout()) : idle,
                common.hasMaxStreamDuration()
                        ? options.at("max_stream_duration").notNegative(common.getMaxStreamDuration())
                        : Duration.ZERO,
                0);
    }

    /** Where it is not set, the server's own limit is left as it is. */
    private static int headerBytes(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager) {
        if (!manager.hasMaxRequestHeadersKb()) {
            return 0;
        }
        int kilobytes = manager.getMaxRequestHeadersKb().getValue();
        if (kilobytes < 1 || kilobytes > MAX_HEADERS_KB) {
            throw field.refuse("must be 1 to " + MAX_HEADERS_KB);
        }
        return kilobytes * 1024;
    }

    private static EscapedSlashes escapedSlashes(Field field, PathWithEscapedSlashesAction action) {
        switch (action) {
            case IMPLEMENTATION_SPECIFIC_DEFAULT:
            case KEEP_UNCHANGED:
                return EscapedSlashes.KEEP;
            case REJECT_REQUEST:
                return EscapedSlashes.REJECT;
            case UNESCAPE_AND_REDIRECT:
                return EscapedSlashes.UNESCAPE_AND_REDIRECT;
            case UNESCAPE_AND_FORWARD:
                return EscapedSlashes.UNESCAPE_AND_FORWARD;
            default:
                throw field.refuse("is unknown");
        }
    }

    private static void refuseUnsupported(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager) {
        field.refuseIf(manager.getEarlyHeaderMutationExtensionsCount() > 0, "early_header_mutation_extensions",
                "are not supported; change headers on the route");
        field.refuseIf(manager.getOriginalIpDetectionExtensionsCount() > 0, "original_ip_detection_extensions",
                "are not supported; use use_remote_address and xff_num_trusted_hops");
        field.refuseIf(manager.getStripMatchingHostPort(), "strip_matching_host_port",
                "is not supported; use ignore_port_in_host_matching of the route configuration");
        field.refuseIf(manager.getStripAnyHostPort(), "strip_any_host_port",
                "is not supported; use ignore_port_in_host_matching of the route configuration");
        field.refuseIf(manager.getStripTrailingHostDot(), "strip_trailing_host_dot",
                "is not supported; name the domain with its dot, too");
        field.refuseIf(manager.hasLocalReplyConfig(), "local_reply_config",
                "is not supported: the mesh's own answers are as Envoy's without it; leave it out");
        HeadersWithUnderscoresAction underscores =
                manager.getCommonHttpProtocolOptions().getHeadersWithUnderscoresAction();
        field.at("common_http_protocol_options").refuseIf(underscores != HeadersWithUnderscoresAction.ALLOW,
                "headers_with_underscores_action", "only ALLOW is supported");
        for (int i = 0; i < manager.getUpgradeConfigsCount(); i++) {
            field.at("upgrade_configs", i).refuseIf(manager.getUpgradeConfigs(i).getFiltersCount() > 0, "filters",
                    "are not supported; an upgraded request has the filters of every other");
        }
    }

    @SuppressWarnings("deprecation") // what older control planes send must be reported, too
    private static void reportWithoutEffect(
            Field field,
            io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager manager) {
        field.reportIf(manager.getAddUserAgent().getValue(), "add_user_agent");
        HttpProtocolOptions common = manager.getCommonHttpProtocolOptions();
        Field options = field.at("common_http_protocol_options");
        options.reportIf(common.hasIdleTimeout(), "idle_timeout", common.getIdleTimeout());
        options.reportIf(common.hasMaxHeadersCount(), "max_headers_count");
        options.reportIf(common.hasMaxResponseHeadersKb(), "max_response_headers_kb");
        field.reportIf(manager.hasHttpProtocolOptions(), "http_protocol_options");
        field.reportIf(manager.hasHttp2ProtocolOptions(), "http2_protocol_options");
        field.reportIf(manager.hasHttp3ProtocolOptions(), "http3_protocol_options");
        field.reportIf(!manager.getServerName().isEmpty(), "server_name");
        field.reportIf(manager.getServerHeaderTransformation() != ServerHeaderTransformation.OVERWRITE,
                "server_header_transformation");
        field.reportIf(manager.hasSchemeHeaderTransformation(), "scheme_header_transformation");
        field.reportIf(manager.hasRequestTimeout(), "request_timeout", manager.getRequestTimeout());
        field.reportIf(manager.hasRequestHeadersTimeout(), "request_headers_timeout", manager.getRequestHeadersTimeout());
        field.reportIf(manager.hasDrainTimeout(), "drain_timeout", manager.getDrainTimeout());
        field.reportIf(manager.hasDelayedCloseTimeout(), "delayed_close_timeout", manager.getDelayedCloseTimeout());
        field.reportIf(manager.hasAccessLogFlushInterval(), "access_log_flush_interval");
        field.reportIf(manager.getFlushAccessLogOnNewRequest(), "flush_access_log_on_new_request");
        field.reportIf(manager.hasAccessLogOptions(), "access_log_options");
        field.reportIf(manager.hasInternalAddressConfig(), "internal_address_config");
        field.reportIf(manager.getSkipXffAppend(), "skip_xff_append");
        field.reportIf(!manager.getVia().isEmpty(), "via");
        field.reportIf(manager.getGenerateRequestId().getValue(), "generate_request_id");
        field.reportIf(manager.getPreserveExternalRequestId(), "preserve_external_request_id");
        field.reportIf(manager.getAlwaysSetRequestIdInResponse(), "always_set_request_id_in_response");
        field.reportIf(manager.getProxy100Continue(), "proxy_100_continue");
        field.reportIf(manager.getRepresentIpv4RemoteAddressAsIpv4MappedIpv6(),
                "represent_ipv4_remote_address_as_ipv4_mapped_ipv6");
        field.reportIf(manager.hasRequestIdExtension(), "request_id_extension");
        field.reportIf(manager.hasPathNormalizationOptions(), "path_normalization_options");
        field.reportIf(manager.hasProxyStatusConfig(), "proxy_status_config");
        field.reportIf(manager.hasTypedHeaderValidationConfig(), "typed_header_validation_config");
        field.reportIf(manager.getAppendXForwardedPort(), "append_x_forwarded_port");
        field.reportIf(manager.getAppendLocalOverload(), "append_local_overload");
    }
}
