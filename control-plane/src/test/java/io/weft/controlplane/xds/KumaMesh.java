package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.Any;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Action;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.trace.v3.DatadogConfig;
import io.envoyproxy.envoy.config.trace.v3.OpenTelemetryConfig;
import io.envoyproxy.envoy.config.trace.v3.ZipkinConfig;
import io.envoyproxy.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.envoyproxy.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.envoyproxy.envoy.extensions.filters.common.matcher.action.v3.SkipFilter;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector;
import io.envoyproxy.envoy.extensions.filters.network.direct_response.v3.Config;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.envoyproxy.envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink;
import io.envoyproxy.envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput;
import io.envoyproxy.envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig;
import io.envoyproxy.envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate;
import io.envoyproxy.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshMultiZoneService;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.service.ServiceCatalog;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The mesh {@code envoyconfig} of Kuma's own tests with some documents, and what is served to its data planes. */
final class KumaMesh {

    static final String NAME = "envoyconfig";

    private static final TypeRegistry TYPES = TypeRegistry.newBuilder()
            .add(List.of(
                    Cluster.getDescriptor(), ClusterLoadAssignment.getDescriptor(), Listener.getDescriptor(), RouteConfiguration.getDescriptor(),
                    Secret.getDescriptor(), HttpConnectionManager.getDescriptor(), Router.getDescriptor(), TcpProxy.getDescriptor(),
                    RBAC.getDescriptor(), io.envoyproxy.envoy.extensions.filters.network.rbac.v3.RBAC.getDescriptor(), Action.getDescriptor(),
                    UriSanInput.getDescriptor(), DownstreamTlsContext.getDescriptor(), UpstreamTlsContext.getDescriptor(),
                    TlsInspector.getDescriptor(), HttpProtocolOptions.getDescriptor(), FileAccessLog.getDescriptor(),
                    LocalRateLimit.getDescriptor(), io.envoyproxy.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit.getDescriptor(),
                    HTTPFault.getDescriptor(), ExtensionWithMatcher.getDescriptor(), SkipFilter.getDescriptor(), Config.getDescriptor(),
                    ZipkinConfig.getDescriptor(), DatadogConfig.getDescriptor(), OpenTelemetryConfig.getDescriptor(),
                    OmitHostMetadataConfig.getDescriptor(), PreviousHostsPredicate.getDescriptor(), PreviousPrioritiesConfig.getDescriptor(),
                    SPIFFECertValidatorConfig.getDescriptor(), HealthCheckEventFileSink.getDescriptor()))
            .build();

    private final MeshCompiler compiler;
    private final PolicySet documents;

    private KumaMesh(MeshCompiler compiler, PolicySet documents) {
        this.compiler = compiler;
        this.documents = documents;
    }

    /** Where roots and certificates are made, which remain the same whatever the documents. */
    static final class Keys {

        private final Authorities authorities;
        private final ServedCertificates certificates = new ServedCertificates(Clock.systemUTC(), new Random(1));

        Keys(Path state) {
            authorities = new Authorities(mesh -> new RootFile(state, mesh), Clock.systemUTC());
        }
    }

    /** @param failures told of an authority that cannot be used */
    static KumaMesh of(String text, Keys keys, Consumer<String> failures) {
        List<PolicySet.Sourced> resources = new ArrayList<>();
        for (Document document : new ResourceParser().parseFile("kuma.yaml", text)) {
            assertThat(document.problems()).isEmpty();
            resources.add(new PolicySet.Sourced(document.resource().orElseThrow(), document.file(), document.line()));
        }
        PolicySet set = new PolicySet(resources, List.of(), List.of());
        MeshSecurity security = MeshSecurity.of(NAME, set, keys.authorities, MeshSecurity.NONE, failures);
        AppliedPolicies applied = AppliedPolicies.of(set, NAME);
        ServiceCatalog services = ServiceCatalog.build(
                        NAME,
                        set.all(Dataplane.class, NAME).stream().map(KumaMesh::secured).toList(),
                        set.all(MeshService.class, NAME),
                        applied.routes(),
                        security)
                .with(set.all(MeshMultiZoneService.class, NAME), set.all(MeshExternalService.class, NAME));
        return new KumaMesh(new MeshCompiler(services, applied, security, keys.certificates, new MadeResources()), set);
    }

    private static Instance secured(Dataplane dataplane) {
        Set<ClientNode.Address> all = dataplane.inbounds().stream().map(ClientNode.Address::of).collect(Collectors.toSet());
        return new Instance(dataplane, Health.HEALTHY, Optional.of(all));
    }

    NodeConfig config(String dataplane, ClientNode.Kind kind) {
        Dataplane own = documents.all(Dataplane.class, NAME).stream()
                .filter(each -> each.metadata().displayName().equals(dataplane))
                .findFirst()
                .orElseThrow();
        ClientNode node = new ClientNode(NAME + "." + dataplane, dataplane, kind, own.metadata(), Optional.of(own),
                new ClientNode.Binding("127.0.0.1", Map.of()), true, Optional.empty());
        return compiler.configFor(node, false);
    }

    static JsonNode json(Any message) throws IOException {
        return Served.read(JsonFormat.printer().usingTypeRegistry(TYPES).omittingInsignificantWhitespace().print(message));
    }
}
