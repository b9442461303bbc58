package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.Cluster.AddressFamily;
import io.weft.policy.model.Cluster.Discovery;
import io.weft.policy.model.Cluster.Resolution;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DnsLookupFamily;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.OriginalDstLbConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.RefreshRate;
import io.weft.policy.proto.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.Struct;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** {@code envoy.config.cluster.v3.Cluster}. */
final class ClusterParser {
    private static final String HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    /** What Kuma calls the subset by; the cluster's name has a hash of it. */
    private static final String TAGS_METADATA = "io.kuma.tags";
    private static final Duration DEFAULT_CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration DEFAULT_DNS_REFRESH = Duration.ofSeconds(5);
    private static final Duration SOONEST_DNS_REFRESH = Duration.ofSeconds(1);
    private static final Duration LEAST_DNS_REFRESH = Duration.ofMillis(1);

    private ClusterParser() {}

    static Cluster parse(Field field, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        field.at("name").notEmpty(cluster.getName());
        field.refuseIf(cluster.hasUpstreamConfig(), "upstream_config", "is not supported; the app's own client connects");
        filters(field, cluster);
        reportWithoutEffect(field, cluster);
        ProtocolOptions options = protocolOptions(field, cluster);
        return new Cluster(
                cluster.getName(),
                discovery(field, cluster),
                LoadBalancingParser.parse(field, cluster),
                new Resilience(
                        cluster.hasConnectTimeout()
                                ? field.at("connect_timeout").positive(cluster.getConnectTimeout())
                                : DEFAULT_CONNECT_TIMEOUT,
                        options.maxStreamDuration(),
                        CircuitBreakersParser.parse(field.at("circuit_breakers"), cluster.getCircuitBreakers()),
                        cluster.hasOutlierDetection()
                                ? Optional.of(OutlierDetectionParser.parse(
                                        field.at("outlier_detection"), cluster.getOutlierDetection()))
                                : Optional.empty(),
                        cluster.getHealthChecksCount() > 0
                                ? Optional.of(HealthCheckParser.parse(
                                        field.at("health_checks", 0), cluster.getHealthChecks(0)))
                                : Optional.empty()),
                transportSockets(field, cluster),
                options.version(),
                cluster.getLrsServer().hasSelf(),
                EndpointParser.labels(cluster.getMetadata().getFilterMetadataOrDefault(TAGS_METADATA, Struct.getDefaultInstance())));
    }

    private static void filters(Field field, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        for (int i = 0; i < cluster.getFiltersCount(); i++) {
            Field at = field.at("filters", i);
            if (!Extensions.isWithoutEffect(cluster.getFilters(i).getTypedConfig())) {
                throw at.refuse("'" + cluster.getFilters(i).getName() + "' is not supported; remove it for this node");
            }
            at.report(cluster.getFilters(i).getName());
        }
    }

    private static TransportSockets transportSockets(
            Field field, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        List<TransportSockets.Match> matches = new ArrayList<>(cluster.getTransportSocketMatchesCount());
        for (int i = 0; i < cluster.getTransportSocketMatchesCount(); i++) {
            var match = cluster.getTransportSocketMatches(i);
            Field at = field.at("transport_socket_matches", i);
            matches.add(new TransportSockets.Match(
                    at.at("name").notEmpty(match.getName()),
                    EndpointParser.labels(match.getMatch()),
                    TlsContextParser.upstream(at.at("transport_socket"), match.getTransportSocket())));
        }
        return new TransportSockets(matches, cluster.hasTransportSocket()
                ? TlsContextParser.upstream(field.at("transport_socket"), cluster.getTransportSocket())
                : new TransportSocket.Plaintext());
    }

    @SuppressWarnings("deprecation") // what older control planes send must be reported, too
    private static void reportWithoutEffect(Field field, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        field.reportIf(cluster.hasPerConnectionBufferLimitBytes(), "per_connection_buffer_limit_bytes");
        field.refuseIf(cluster.getHealthChecksCount() > 1, "health_checks", "are several; send one");
        field.reportIf(cluster.hasMaxRequestsPerConnection(), "max_requests_per_connection");
        field.reportIf(cluster.hasUpstreamHttpProtocolOptions(), "upstream_http_protocol_options");
        field.reportIf(cluster.hasCommonHttpProtocolOptions(), "common_http_protocol_options");
        field.reportIf(cluster.hasHttpProtocolOptions(), "http_protocol_options");
        // That it is there says what the agent's own connections speak.
        field.reportIf(cluster.hasHttp2ProtocolOptions(), "http2_protocol_options");
        boolean dns = cluster.getType() == DiscoveryType.STRICT_DNS || cluster.getType() == DiscoveryType.LOGICAL_DNS;
        field.reportIf(!dns && cluster.hasDnsJitter(), "dns_jitter");
        field.reportIf(!dns && cluster.hasDnsFailureRefreshRate(), "dns_failure_refresh_rate");
        field.reportIf(!dns && cluster.getDnsLookupFamily() != DnsLookupFamily.AUTO, "dns_lookup_family");
        // The JDK does not tell it.
        field.reportIf(cluster.getRespectDnsTtl(), "respect_dns_ttl");
        field.reportIf(cluster.getDnsResolversCount() > 0, "dns_resolvers");
        field.reportIf(cluster.getUseTcpForDnsLookups(), "use_tcp_for_dns_lookups");
        field.reportIf(cluster.hasDnsResolutionConfig(), "dns_resolution_config");
        field.reportIf(cluster.hasTypedDnsResolverConfig(), "typed_dns_resolver_config");
        field.reportIf(cluster.hasUpstreamBindConfig(), "upstream_bind_config");
        field.reportIf(cluster.getProtocolSelectionValue() != 0, "protocol_selection");
        field.reportIf(cluster.hasUpstreamConnectionOptions(), "upstream_connection_options");
        field.reportIf(cluster.getCloseConnectionsOnHostHealthFailure(), "close_connections_on_host_health_failure");
        field.reportIf(cluster.hasLrsServer() && !cluster.getLrsServer().hasSelf(), "lrs_server");
        field.reportIf(cluster.getLrsReportEndpointMetricsCount() > 0, "lrs_report_endpoint_metrics");
        field.reportIf(cluster.getTrackTimeoutBudgets(), "track_timeout_budgets");
        field.reportIf(cluster.hasTrackClusterStats(), "track_cluster_stats");
        field.reportIf(cluster.hasPreconnectPolicy(), "preconnect_policy");
        field.reportIf(cluster.getConnectionPoolPerDownstreamConnection(), "connection_pool_per_downstream_connection");
    }

    /**
     * HTTP version and connection limits are the app's own client's; filters are not, and neither are how long a stream may last and
     * what the agent speaks itself.
     */
    @SuppressWarnings("deprecation") // common_http_protocol_options of the cluster itself
    private static ProtocolOptions protocolOptions(Field parent, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        Duration maxStreamDuration = maxStreamDuration(
                parent.at("common_http_protocol_options"), cluster.getCommonHttpProtocolOptions());
        HttpVersion version = cluster.hasHttp2ProtocolOptions() ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1;
        for (Map.Entry<String, Any> option : new TreeMap<>(cluster.getTypedExtensionProtocolOptionsMap()).entrySet()) {
            Field field = parent.at("typed_extension_protocol_options", option.getKey());
            Any config = option.getValue();
            if (Extensions.typeOf(config).equals(HTTP_OPTIONS)) {
                try {
                    HttpProtocolOptions http = HttpProtocolOptions.parseFrom(config.getValue());
                    HttpFilterParser.upstreamFilters(field, "http_filters", http.getHttpFiltersList());
                    Field common = field.at("common_http_protocol_options");
                    maxStreamDuration = maxStreamDuration(common, http.getCommonHttpProtocolOptions());
                    common.at("idle_timeout").notNegative(http.getCommonHttpProtocolOptions().getIdleTimeout());
                    common.at("max_connection_duration").notNegative(http.getCommonHttpProtocolOptions().getMaxConnectionDuration());
                    version = http.getExplicitHttpConfig().hasHttp2ProtocolOptions() ? HttpVersion.HTTP_2 : HttpVersion.HTTP_1_1;
                } catch (InvalidProtocolBufferException e) {
                    throw field.refuse("is not a valid " + HTTP_OPTIONS + ": " + e.getMessage());
                }
            }
            field.report();
        }
        return new ProtocolOptions(maxStreamDuration, version);
    }

    private record ProtocolOptions(Duration maxStreamDuration, HttpVersion version) {}

    private static Duration maxStreamDuration(
            Field field, io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions options) {
        return field.at("max_stream_duration").notNegative(options.getMaxStreamDuration());
    }

    @SuppressWarnings("deprecation") // dns_refresh_rate
    private static Discovery discovery(Field field, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        field.refuseIf(cluster.hasClusterType(), "cluster_type",
                "custom cluster types are not supported; set type to EDS, STATIC, STRICT_DNS or ORIGINAL_DST");
        DiscoveryType type = cluster.getType();
        field.refuseIf(type == DiscoveryType.UNRECOGNIZED, "type", "is unknown");
        field.refuseIf(cluster.hasEdsClusterConfig() && type != DiscoveryType.EDS, "eds_cluster_config",
                "is only for clusters of type EDS");
        boolean dns = type == DiscoveryType.STRICT_DNS || type == DiscoveryType.LOGICAL_DNS;
        boolean carries = type == DiscoveryType.STATIC || dns;
        field.refuseIf(cluster.hasLoadAssignment() && !carries, "load_assignment",
                "is only for clusters of type STATIC, STRICT_DNS and LOGICAL_DNS");
        field.refuseIf(cluster.hasOriginalDstLbConfig() && type != DiscoveryType.ORIGINAL_DST, "original_dst_lb_config",
                "is only for clusters of type ORIGINAL_DST");
        switch (type) {
            case EDS:
                field.refuseIf(!cluster.getEdsClusterConfig().hasEdsConfig(), "eds_cluster_config",
                        "is missing; set eds_config: {ads: {}}");
                Extensions.ads(
                        field.at("eds_cluster_config").at("eds_config"), cluster.getEdsClusterConfig().getEdsConfig());
                String service = cluster.getEdsClusterConfig().getServiceName();
                return new Cluster.Eds(service.isEmpty() ? cluster.getName() : service);
            case STATIC:
                boolean metrics = MetricsListenerParser.leadsTo(cluster.getName());
                field.reportIf(metrics && cluster.hasLoadAssignment(), "load_assignment");
                return new Cluster.Static(cluster.hasLoadAssignment() && !metrics
                        ? EndpointParser.withLiterals(field.at("load_assignment"), cluster.getLoadAssignment())
                        : new EndpointAssignment(
                                cluster.getName(), List.of(), EndpointAssignment.DEFAULT_OVERPROVISIONING_FACTOR, false));
            case STRICT_DNS:
            case LOGICAL_DNS:
                field.refuseIf(!cluster.hasLoadAssignment(), "load_assignment", "is missing");
                EndpointAssignment named =
                        EndpointParser.withHostNames(field.at("load_assignment"), cluster.getLoadAssignment());
                if (type == DiscoveryType.STRICT_DNS) {
                    return new Cluster.StrictDns(named, resolution(field, cluster));
                }
                boolean one = named.localities().size() == 1 && named.localities().get(0).endpoints().size() == 1;
                field.refuseIf(!one, "load_assignment", "of a LOGICAL_DNS cluster must have one endpoint; use STRICT_DNS for several");
                return new Cluster.LogicalDns(named, resolution(field, cluster));
            case ORIGINAL_DST:
                field.refuseIf(cluster.getLbPolicy() != LbPolicy.CLUSTER_PROVIDED && !cluster.hasLoadBalancingPolicy(),
                        "lb_policy", "must be CLUSTER_PROVIDED for a cluster of type ORIGINAL_DST");
                originalDestination(field.at("original_dst_lb_config"), cluster.getOriginalDstLbConfig());
                field.refuseIf(!transportSockets(field, cluster).equals(TransportSockets.PLAINTEXT), "transport_socket",
                        "must be plaintext for a cluster of type ORIGINAL_DST: such requests are the app's own");
                return new Cluster.OriginalDestination();
            default:
                throw new AssertionError(type);
        }
    }

    @SuppressWarnings("deprecation") // newer control planes say the same in a cluster_type
    private static Resolution resolution(Field field, io.weft.policy.proto.envoy.config.cluster.v3.Cluster cluster) {
        Duration refresh = DEFAULT_DNS_REFRESH;
        if (cluster.hasDnsRefreshRate()) {
            refresh = field.at("dns_refresh_rate").positive(cluster.getDnsRefreshRate());
            field.refuseIf(refresh.compareTo(LEAST_DNS_REFRESH) <= 0, "dns_refresh_rate", "must be more than 1ms");
            // The JDK itself would not know anything new so soon.
            field.reportIf(refresh.compareTo(SOONEST_DNS_REFRESH) < 0, "dns_refresh_rate");
            refresh = refresh.compareTo(SOONEST_DNS_REFRESH) < 0 ? SOONEST_DNS_REFRESH : refresh;
        }
        Duration base = refresh;
        Duration max = refresh;
        if (cluster.hasDnsFailureRefreshRate()) {
            Field failure = field.at("dns_failure_refresh_rate");
            RefreshRate rate = cluster.getDnsFailureRefreshRate();
            failure.refuseIf(!rate.hasBaseInterval(), "base_interval", "is missing");
            base = failure.at("base_interval").positive(rate.getBaseInterval());
            max = rate.hasMaxInterval() ? failure.at("max_interval").positive(rate.getMaxInterval()) : base.multipliedBy(10);
            failure.refuseIf(max.compareTo(base) < 0, "max_interval", "must not be less than base_interval");
        }
        return new Resolution(
                refresh,
                cluster.hasDnsJitter() ? field.at("dns_jitter").notNegative(cluster.getDnsJitter()) : Duration.ZERO,
                base,
                max,
                family(field.at("dns_lookup_family"), cluster.getDnsLookupFamily()));
    }

    private static AddressFamily family(Field field, DnsLookupFamily family) {
        switch (family) {
            case AUTO:
                return AddressFamily.AUTO;
            case V4_ONLY:
                return AddressFamily.V4_ONLY;
            case V6_ONLY:
                return AddressFamily.V6_ONLY;
            case V4_PREFERRED:
                return AddressFamily.V4_PREFERRED;
            case ALL:
                return AddressFamily.ALL;
            default:
                throw field.refuse("is unknown");
        }
    }

    private static void originalDestination(Field field, OriginalDstLbConfig config) {
        field.refuseIf(config.getUseHttpHeader(), "use_http_header", "is not supported; use a route to another cluster");
        field.refuseIf(config.hasUpstreamPortOverride(), "upstream_port_override",
                "is not supported; use a route to another cluster");
        field.refuseIf(config.hasMetadataKey(), "metadata_key", "is not supported; use a route to another cluster");
    }
}
