package io.weft.controlplane.xds;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.AggregatedConfigSource;
import io.envoyproxy.envoy.config.core.v3.ApiVersion;
import io.envoyproxy.envoy.config.core.v3.ConfigSource;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Http1ProtocolOptions;
import io.envoyproxy.envoy.config.core.v3.Http2ProtocolOptions;
import io.envoyproxy.envoy.config.core.v3.HttpProtocolOptions;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.SelfConfigSource;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.IpLiteral;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.service.Service;
import io.weft.controlplane.service.ServiceCatalog.Target;
import io.weft.controlplane.xds.policy.Localities;
import io.weft.controlplane.xds.policy.TraceTranslator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Envoy's clusters and their endpoints. */
final class ClusterBuilder {

    static final ConfigSource ADS = ConfigSource.newBuilder()
            .setAds(AggregatedConfigSource.getDefaultInstance())
            .setResourceApiVersion(ApiVersion.V3)
            .build();

    /** To whoever sent the cluster; Envoy reports where its bootstrap says. */
    private static final ConfigSource LOAD_REPORTS = ConfigSource.newBuilder()
            .setSelf(SelfConfigSource.getDefaultInstance())
            .setResourceApiVersion(ApiVersion.V3)
            .build();

    private static final String HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /** True of every endpoint of a cluster, so of no use to tell them apart. */
    private static final Set<String> COMMON_TAGS = Set.of(Labels.SERVICE, Labels.PROTOCOL);

    /** @param shown absent: the caller has no identity, and everything is reached in plaintext */
    static Versioned cluster(Target target, Optional<Shown> shown, MeshSecurity security, ClusterPolicies policies) {
        Cluster.Builder cluster = common(target, policies);
        if (isByName(target.port())) {
            cluster.setType(Cluster.DiscoveryType.STRICT_DNS).setLoadAssignment(assignment(target, ""));
        } else {
            cluster.setType(Cluster.DiscoveryType.EDS)
                    .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ADS));
        }
        shown.ifPresent(own -> cluster.addTransportSocketMatches(TlsBuilder.upstream(own, target, security)));
        if (!target.tags().isEmpty()) {
            cluster.setMetadata(Metadata.newBuilder().putFilterMetadata("io.kuma.tags", struct(target.tags())));
        }
        return Versioned.of(cluster.getName(), cluster.build());
    }

    private static Cluster.Builder common(Target target, ClusterPolicies policies) {
        Cluster.Builder cluster = Cluster.newBuilder().setName(Names.cluster(target)).setLrsServer(LOAD_REPORTS);
        policies.in(cluster, target.port().protocol());
        http(cluster, target.port().protocol(), policies.connections());
        return cluster;
    }

    /**
     * What is outside of the mesh, with its endpoints, as a zone egress of Kuma has it.
     *
     * @param kind of the callers
     */
    static Versioned external(MeshExternalService service, Target target, ClientNode.Kind kind, ClusterPolicies policies) {
        Cluster.Builder cluster = common(target, policies);
        boolean byName = service.endpoints().stream().anyMatch(endpoint -> !IpLiteral.is(endpoint.address()));
        cluster.setType(byName ? Cluster.DiscoveryType.STRICT_DNS : Cluster.DiscoveryType.STATIC);
        // Envoy wants the levels without gaps.
        SortedMap<Integer, LocalityLbEndpoints.Builder> levels = new TreeMap<>();
        service.endpoints().forEach(endpoint -> levels
                .computeIfAbsent(endpoint.priority(), key -> LocalityLbEndpoints.newBuilder()
                        .setLocality(Locality.newBuilder().setSubZone("priority-" + key)))
                .addLbEndpoints(LbEndpoint.newBuilder()
                        .setEndpoint(Endpoint.newBuilder().setAddress(address(endpoint.address(), endpoint.port())))));
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(cluster.getName());
        levels.values().forEach(level -> assignment.addEndpoints(level.setPriority(assignment.getEndpointsCount())));
        cluster.setLoadAssignment(assignment);
        service.tls().ifPresent(tls -> cluster.addTransportSocketMatches(TlsBuilder.external(service, tls, kind)));
        return Versioned.of(cluster.getName(), cluster.build());
    }

    /** Whether callers resolve the names of its instances. */
    static boolean isByName(Service.Port port) {
        return port.instances().stream().anyMatch(instance -> !IpLiteral.is(instance.address()));
    }

    /**
     * What a policy says of how near they are counts before what the cluster hints.
     *
     * @param zone of the callers; may be empty
     */
    static Versioned endpoints(Target target, Localities localities, String zone) {
        String name = Names.cluster(target);
        if (localities.equals(Localities.NONE)) {
            return Versioned.of(name, assignment(target, zone));
        }
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(name);
        Localities.Assignment places = localities.assignment();
        for (Service.Instance instance : target.instances()) {
            places.add(instance.zone(), instance.tags(), endpoint(instance));
        }
        places.in(assignment);
        return Versioned.of(name, assignment.build());
    }

    /** What is hinted for other zones comes second: it is there when nothing else is. */
    private static ClusterLoadAssignment assignment(Target target, String zone) {
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(Names.cluster(target));
        boolean hinted = target.instances().stream().anyMatch(instance -> instance.forZones().contains(zone));
        for (int priority = 0; priority <= (hinted ? 1 : 0); priority++) {
            boolean first = priority == 0;
            Map<String, LocalityLbEndpoints.Builder> zones = new TreeMap<>();
            for (Service.Instance instance : target.instances()) {
                if (!hinted || instance.forZones().contains(zone) == first) {
                    zones.computeIfAbsent(instance.zone(), ClusterBuilder::locality).addLbEndpoints(endpoint(instance));
                }
            }
            int level = priority;
            zones.values().forEach(locality -> assignment.addEndpoints(locality.setPriority(level)));
        }
        return assignment.build();
    }

    /** Leads to the app behind one port of the data plane itself. */
    static Versioned local(String name, Dataplane.Inbound inbound, InboundPolicies policies) {
        Cluster.Builder cluster = Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.STATIC)
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName(name)
                        .addEndpoints(LocalityLbEndpoints.newBuilder()
                                .addLbEndpoints(LbEndpoint.newBuilder()
                                        .setEndpoint(Endpoint.newBuilder()
                                                .setAddress(address(
                                                        inbound.serviceAddress(), inbound.servicePort()))))));
        policies.in(cluster);
        http(cluster, inbound.protocol().orElse(Protocol.HTTP), policies.connections());
        return Versioned.of(name, cluster.build());
    }

    /** Where telemetry is sent to. */
    static Versioned collector(TraceTranslator.Destination destination, ClientNode.Kind kind) {
        Cluster.Builder cluster = Cluster.newBuilder()
                .setName(destination.cluster())
                .setType(IpLiteral.is(destination.host()) ? Cluster.DiscoveryType.STATIC : Cluster.DiscoveryType.STRICT_DNS)
                .setDnsLookupFamily(Cluster.DnsLookupFamily.V4_PREFERRED)
                .setConnectTimeout(Defaults.CONNECT_TIMEOUT)
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName(destination.cluster())
                        .addEndpoints(LocalityLbEndpoints.newBuilder()
                                .addLbEndpoints(LbEndpoint.newBuilder()
                                        .setEndpoint(Endpoint.newBuilder()
                                                .setAddress(address(destination.host(), destination.port()))))));
        if (destination.tls()) {
            cluster.setTransportSocket(TlsBuilder.collector(destination.host(), kind));
        }
        http(cluster, destination.http2() ? Protocol.HTTP2 : Protocol.HTTP, Optional.empty());
        return Versioned.of(destination.cluster(), cluster.build());
    }

    /** What a policy says of connections is not for those of gRPC, as in Kuma. */
    private static void http(Cluster.Builder cluster, Protocol protocol, Optional<HttpProtocolOptions> said) {
        Optional<HttpProtocolOptions> common = said.filter(options -> protocol != Protocol.GRPC);
        if (!protocol.http() || !protocol.http2() && common.isEmpty()) {
            return;
        }
        ExplicitHttpConfig.Builder explicit = ExplicitHttpConfig.newBuilder();
        if (protocol.http2()) {
            explicit.setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance());
        } else {
            explicit.setHttpProtocolOptions(Http1ProtocolOptions.getDefaultInstance());
        }
        var options = io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions.newBuilder()
                .setExplicitHttpConfig(explicit);
        common.ifPresent(options::setCommonHttpProtocolOptions);
        cluster.putTypedExtensionProtocolOptions(HTTP_OPTIONS, TlsBuilder.any(options.build()));
    }

    private static LocalityLbEndpoints.Builder locality(String zone) {
        LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder();
        if (!zone.isEmpty()) {
            locality.setLocality(Locality.newBuilder().setZone(zone));
        }
        return locality;
    }

    private static LbEndpoint endpoint(Service.Instance instance) {
        LbEndpoint.Builder endpoint = LbEndpoint.newBuilder()
                .setEndpoint(Endpoint.newBuilder().setAddress(address(instance.address(), instance.port())))
                .setHealthStatus(
                        instance.health() == Health.HEALTHY ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY);
        Map<String, String> tags = new TreeMap<>(instance.tags());
        tags.keySet().removeAll(COMMON_TAGS);
        Metadata.Builder metadata = Metadata.newBuilder();
        if (!tags.isEmpty()) {
            metadata.putFilterMetadata("envoy.lb", struct(tags));
        }
        if (instance.meshTls()) {
            metadata.putFilterMetadata(
                    "envoy.transport_socket_match", struct(Map.of(TlsBuilder.MODE_LABEL, TlsBuilder.MESH_MODE)));
        }
        if (metadata.getFilterMetadataCount() > 0) {
            endpoint.setMetadata(metadata);
        }
        return endpoint.build();
    }

    static Address address(String host, int port) {
        return Address.newBuilder()
                .setSocketAddress(SocketAddress.newBuilder().setAddress(host).setPortValue(port))
                .build();
    }

    private static Struct struct(Map<String, String> texts) {
        Struct.Builder struct = Struct.newBuilder();
        texts.forEach((key, value) ->
                struct.putFields(key, Value.newBuilder().setStringValue(value).build()));
        return struct.build();
    }

    private ClusterBuilder() {}
}
