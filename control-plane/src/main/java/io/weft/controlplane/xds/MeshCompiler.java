package io.weft.controlplane.xds;

import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing;
import io.weft.controlplane.identity.Identity;
import io.weft.controlplane.identity.InboundSecurity;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.load.Destinations;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshPassthrough;
import io.weft.controlplane.policy.MeshTrace;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.service.DataplaneRules;
import io.weft.controlplane.service.InboundRules;
import io.weft.controlplane.service.OutboundRules;
import io.weft.controlplane.service.RouteRules;
import io.weft.controlplane.service.Service;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.service.ServiceCatalog.Target;
import io.weft.controlplane.xds.policy.Localities;
import io.weft.controlplane.xds.policy.MetricTranslator;
import io.weft.controlplane.xds.policy.PassthroughTranslator;
import io.weft.controlplane.xds.policy.TraceTranslator.Destination;
import io.weft.controlplane.xds.policy.TraceTranslator.Reporter;
import io.weft.controlplane.xds.policy.TraceTranslator;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What each data plane of one mesh gets, from one state of the world. Data planes to which the same policies apply share
 * their outbound resources; only inbound listeners and, for a proxy, the addresses of the outbound listeners are its own.
 *
 * <p>Not thread-safe.
 */
public final class MeshCompiler {

    private static final String ANY_ADDRESS = "0.0.0.0";

    private final ServiceCatalog services;
    private final AppliedPolicies policies;
    private final List<MeshHttpRoute> routes;
    private final OutboundRules outboundRules;
    private final InboundRules inboundRules;
    private final DataplaneRules dataplaneRules;
    private final Callers callers;
    private final MeshSecurity security;
    private final ServedCertificates certificates;
    private final Map<Group, Outbound> outbounds = new HashMap<>();
    /** Clusters do not depend on routes, so groups of data planes share them too. */
    private final Map<ClusterKey, Versioned> clusters = new HashMap<>();
    private final Map<PassthroughKey, Versioned> passthroughs = new HashMap<>();
    private final Map<TracedKey, Versioned> traced = new HashMap<>();
    private final MadeEndpoints endpoints;
    private final Map<String, Destinations.Cluster> destinations = new HashMap<>();

    /**
     * What data planes have in common that get the same outbound resources.
     *
     * @param routes the numbers of those that apply
     * @param entries the numbers of the other policies' entries that apply
     * @param shown absent: they have no identity
     * @param caller what of them decides how near endpoints are
     * @param namespace of which they are, where that makes a difference; else empty
     * @param zone in which they are, where that makes a difference; else empty
     * @param kind what they are, where that makes a difference; else an agent
     */
    private record Group(
            BitSet routes,
            BitSet entries,
            Optional<Shown> shown,
            Localities.Caller caller,
            String namespace,
            String zone,
            ClientNode.Kind kind) {}

    private record ClusterKey(String name, Optional<Shown> shown, ClientNode.Kind kind, ClusterPolicies policies) {}

    private record PassthroughKey(MeshPassthrough passthrough, String namespace) {}

    private record TracedKey(int port, List<AccessLog> logs, Tracing tracing) {}

    private record EndpointsKey(String name, Localities localities, String zone) {}

    /**
     * @param ports of all services, in order
     * @param listeners of those ports of which nothing is logged
     * @param logs what is, by port
     */
    private record Outbound(
            List<Integer> ports, Table clusters, Table endpoints, Table listeners, Map<Integer, OutboundLogs> logs, Table routes) {}

    public MeshCompiler(
            ServiceCatalog services,
            AppliedPolicies policies,
            MeshSecurity security,
            ServedCertificates certificates,
            MadeEndpoints endpoints) {
        this.endpoints = endpoints;
        endpoints.begin();
        this.services = services;
        this.policies = policies;
        this.routes = policies.routes();
        outboundRules = new OutboundRules(policies.merged(), routes, policies.initial());
        inboundRules = new InboundRules(policies.merged(), policies.initial(), security::callers);
        dataplaneRules = new DataplaneRules(policies.merged());
        callers = Callers.of(policies.merged());
        this.security = security;
        this.certificates = certificates;
    }

    /** What the clusters that were made so far, and the addresses of endpoints, stand for. */
    public Destinations destinations() {
        Map<String, String> endpoints = new HashMap<>();
        for (Service service : services.all()) {
            for (Service.Port port : service.ports()) {
                for (Service.Instance instance : port.instances()) {
                    endpoints.put(instance.hostPort(), instance.tags().getOrDefault(Labels.VERSION, ""));
                }
            }
        }
        return Destinations.of(destinations, endpoints);
    }

    NodeConfig configFor(ClientNode node) {
        List<Map<String, String>> tags = node.tags();
        BitSet applicable = new BitSet(routes.size());
        for (int i = 0; i < routes.size(); i++) {
            MeshHttpRoute route = routes.get(i);
            applicable.set(i, route.metadata().reaches(node.metadata()) && route.target().selects(node.metadata(), tags));
        }
        BitSet entries = outboundRules.applicable(node.metadata(), tags);
        Optional<Identity> identity = security.identity(node.workload());
        Optional<Shown> shown = identity.map(own -> node.kind() == ClientNode.Kind.AGENT
                ? new Shown.Requested()
                : new Shown.Served(own.name()));
        String namespace = services.differByNamespace() ? node.metadata().namespace() : "";
        String zone = services.differByZone() ? node.metadata().zone() : "";
        ClientNode.Kind kind = services.differByKind() ? node.kind() : ClientNode.Kind.AGENT;
        Outbound outbound = outbounds.computeIfAbsent(
                new Group(applicable, entries, shown, callers.of(node), namespace, zone, kind), this::outbound);
        List<Versioned> listeners = new ArrayList<>();
        List<Versioned> localClusters = new ArrayList<>();
        Set<Destination> collectors = new LinkedHashSet<>();
        inbound(node, shown, listeners, localClusters, collectors);
        Optional<MeshTrace> trace = dataplaneRules.of(PolicyKinds.TRACE, node.metadata(), tags);
        Optional<Tracing> tracing = trace.flatMap(said -> tracing(said, node, TrafficDirection.OUTBOUND));
        Table sharedListeners = outbound.listeners();
        boolean proxy = node.kind() == ClientNode.Kind.PROXY;
        if (proxy || tracing.isPresent()) {
            sharedListeners = Table.EMPTY;
            for (int port : outbound.ports()) {
                List<AccessLog> logs = outbound.logs().getOrDefault(port, OutboundLogs.NONE).of(node);
                listeners.add(proxy
                        ? ListenerBuilder.outbound(
                                port, node.outbound().address(), node.outbound().ports().getOrDefault(port, port), logs, tracing)
                        : traced.computeIfAbsent(new TracedKey(port, logs, tracing.orElseThrow()),
                                key -> ListenerBuilder.outbound(port, ANY_ADDRESS, port, logs, tracing)));
            }
        } else {
            // What is logged names the one who sends.
            outbound.logs().forEach((port, logs) ->
                    listeners.add(ListenerBuilder.outbound(port, ANY_ADDRESS, port, logs.of(node), Optional.empty())));
        }
        if (proxy) {
            trace.flatMap(said -> TraceTranslator.destination(said, policies.collectors())).ifPresent(collectors::add);
            collectors.forEach(collector -> localClusters.add(ClusterBuilder.collector(collector)));
        }
        if (!proxy) {
            outside(node, listeners, localClusters);
            String address = node.dataplane().map(Dataplane::address).orElse(ANY_ADDRESS);
            dataplaneRules.of(PolicyKinds.METRIC, node.metadata(), node.tags())
                    .ifPresent(metric -> metric.backends().forEach(backend -> {
                        Listener listener = MetricTranslator.listener(backend, address);
                        listeners.add(Versioned.of(listener.getName(), listener));
                    }));
        }
        return new NodeConfig(
                Map.of(
                        ResourceType.SECRET, new NodeConfig.Layers(Table.EMPTY, Table.of(secrets(node, identity))),
                        ResourceType.CLUSTER, new NodeConfig.Layers(outbound.clusters(), Table.of(localClusters)),
                        ResourceType.ENDPOINT, new NodeConfig.Layers(outbound.endpoints(), Table.EMPTY),
                        ResourceType.LISTENER, new NodeConfig.Layers(sharedListeners, Table.of(listeners)),
                        ResourceType.ROUTE, new NodeConfig.Layers(outbound.routes(), Table.EMPTY)),
                shown.isPresent());
    }

    /** An agent's key never leaves it, so it is served none. */
    private List<Versioned> secrets(ClientNode node, Optional<Identity> identity) {
        List<Versioned> secrets = new ArrayList<>();
        identity.ifPresent(own -> {
            secrets.add(TlsBuilder.trustBundle(security.trust()));
            if (node.kind() == ClientNode.Kind.PROXY) {
                certificates.of(node.id(), own)
                        .ifPresent(certificate -> secrets.add(TlsBuilder.identity(own.name(), certificate)));
            }
        });
        return secrets;
    }

    /** Of what is outside of the mesh: an agent is where a transparent proxy would be, and a proxy with ports of its own is not. */
    private void outside(ClientNode node, List<Versioned> listeners, List<Versioned> clusters) {
        dataplaneRules.of(PolicyKinds.PASSTHROUGH, node.metadata(), node.tags())
                .filter(PassthroughTranslator::restricts)
                .ifPresent(passthrough -> {
                    listeners.add(passthroughs.computeIfAbsent(
                            new PassthroughKey(passthrough, services.differByNamespace() ? node.metadata().namespace() : ""),
                            key -> Versioned.of(PassthroughTranslator.NAME,
                                    PassthroughTranslator.listener(passthrough, ofOtherProtocols(key.namespace())))));
                    clusters.add(Versioned.of(PassthroughTranslator.NAME, PassthroughTranslator.cluster()));
                });
    }

    /** Hosts of the mesh by ports for which there is no listener, as an app speaks there for itself. */
    private Map<Integer, List<String>> ofOtherProtocols(String namespace) {
        Map<Integer, List<String>> hosts = new TreeMap<>();
        for (Service service : services.all()) {
            for (Service.Port port : service.ports()) {
                if (!port.protocol().http()) {
                    List<String> known = hosts.computeIfAbsent(port.number(), number -> new ArrayList<>());
                    known.addAll(service.hosts().everywhere());
                    known.addAll(service.hosts().inNamespace().getOrDefault(namespace, List.of()));
                }
            }
        }
        return hosts;
    }

    private Optional<Tracing> tracing(MeshTrace trace, ClientNode node, TrafficDirection direction) {
        String workload = Optional.ofNullable(node.metadata().label(Labels.WORKLOAD)).map(name -> Names.workload(node, name)).orElse("");
        Reporter reporter = new Reporter(node.workload().service(), node.mesh(), node.zone(), workload);
        return TraceTranslator.tracing(trace, reporter, direction, policies.collectors());
    }

    /** @param collectors gets those to which it sends spans of what comes in */
    private void inbound(
            ClientNode node,
            Optional<Shown> shown,
            List<Versioned> listeners,
            List<Versioned> clusters,
            Set<Destination> collectors) {
        if (node.dataplane().isEmpty()) {
            return;
        }
        Set<String> names = new HashSet<>();
        for (Dataplane.Inbound inbound : node.dataplane().get().inbounds()) {
            String name = Names.inbound(inbound.name().orElse(Integer.toString(inbound.port())));
            boolean taken = node.kind() == ClientNode.Kind.PROXY
                    && inbound.port() == inbound.servicePort()
                    && inbound.address().equals(inbound.serviceAddress());
            // Where the app itself has the address, a proxy cannot have it too: it then only lends its name.
            if (!taken && names.add(name)) {
                Optional<MeshTrace> trace = dataplaneRules.of(PolicyKinds.TRACE, node.metadata(), node.tags(), inbound);
                trace.flatMap(traced -> TraceTranslator.destination(traced, policies.collectors())).ifPresent(collectors::add);
                InboundPolicies said = InboundPolicies.of(
                        inboundRules.of(node.metadata(), node.tags(), inbound), node, inbound,
                        trace.flatMap(traced -> tracing(traced, node, TrafficDirection.INBOUND)));
                listeners.add(listener(node, shown, name, inbound, said));
                clusters.add(ClusterBuilder.local(name, inbound, said));
            }
        }
    }

    private Versioned listener(
            ClientNode node, Optional<Shown> shown, String name, Dataplane.Inbound inbound, InboundPolicies said) {
        Optional<InboundSecurity> secured =
                security.inbound(node.metadata(), node.tags(), node.workload(), inbound);
        if (shown.isEmpty() || secured.isEmpty()) {
            return ListenerBuilder.inbound(name, inbound, said);
        }
        return ListenerBuilder.inbound(
                name, inbound, said, secured.get(), TlsBuilder.downstream(shown.get(), secured.get().tls(), security));
    }

    private Outbound outbound(Group group) {
        List<MeshHttpRoute> applicable = group.routes().stream().mapToObj(routes::get).toList();
        Map<Integer, RouteTable> tables = new TreeMap<>();
        Map<Integer, OutboundLogs> logs = new TreeMap<>();
        Map<String, Target> targets = new LinkedHashMap<>();
        for (Service service : services.all()) {
            for (Service.Port port : service.ports()) {
                if (!port.protocol().http()) {
                    continue;
                }
                RouteBuilder builder = new RouteBuilder(services, new Target(service, port, Map.of()));
                VirtualHost.Builder host = VirtualHost.newBuilder().setName(Names.virtualHost(service, port));
                for (RouteRules.Resolved resolved : RouteRules.of(service, port, applicable)) {
                    Optional<Metadata> route = resolved.origin().map(RouteRules.Origin::policy);
                    host.addAllRoutes(builder.routes(resolved, RoutePolicies.of(
                            outboundRules, group.entries(), service, port, route, policies.initial())));
                }
                targets.putAll(builder.targets());
                tables.computeIfAbsent(port.number(), number -> new RouteTable(number, group.namespace())).add(service, host);
                logs.computeIfAbsent(port.number(), number -> new OutboundLogs()).add(
                        service, host.getDomainsList(), outboundRules.of(PolicyKinds.ACCESS_LOG, group.entries(), service, port));
            }
        }
        List<Versioned> clusterList = new ArrayList<>();
        List<Versioned> endpointList = new ArrayList<>();
        targets.forEach((name, target) -> {
            ClusterPolicies said = ClusterPolicies.of(outboundRules, group.entries(), target, policies.initial());
            clusterList.add(clusters.computeIfAbsent(
                    new ClusterKey(name, group.shown(), group.kind(), said),
                    key -> cluster(target, key)));
            destinations.computeIfAbsent(name, key -> new Destinations.Cluster(
                    target.service().shown(), Optional.ofNullable(target.tags().get(Labels.VERSION))));
            if (!ClusterBuilder.hasEndpoints(target)) {
                endpointList.add(endpoints.of(
                        new EndpointsKey(name, Localities.of(said.balancing(), group.caller()), group.zone()),
                        target.instances(),
                        () -> ClusterBuilder.endpoints(
                                target, Localities.of(said.balancing(), group.caller()), group.zone())));
            }
        });
        logs.values().removeIf(OutboundLogs::isEmpty);
        List<Integer> ports = List.copyOf(tables.keySet());
        return new Outbound(
                ports,
                Table.of(clusterList),
                Table.of(endpointList),
                Table.of(ports.stream()
                        .filter(port -> !logs.containsKey(port))
                        .map(port -> ListenerBuilder.outbound(port, ANY_ADDRESS, port, List.of(), Optional.empty()))
                        .toList()),
                logs,
                Table.of(tables.values().stream().map(RouteTable::build).toList()));
    }

    private Versioned cluster(Target target, ClusterKey key) {
        return target.service().external().isPresent()
                ? ClusterBuilder.external(target.service().external().get(), target, key.kind(), key.policies())
                : ClusterBuilder.cluster(target, key.shown(), security, key.policies());
    }

    /** The virtual hosts of one port. */
    private static final class RouteTable {

        private final String name;
        private final String namespace;
        private final RouteConfiguration.Builder configuration;
        private final Set<String> domains = new HashSet<>();

        /** @param namespace of the callers */
        RouteTable(int port, String namespace) {
            this.namespace = namespace;
            name = Names.outbound(port);
            configuration = RouteConfiguration.newBuilder()
                    .setName(name)
                    // The listener's port has chosen already, and behind a proxy on another port the Host header has that one.
                    .setIgnorePortInHostMatching(true)
                    .setValidateClusters(BoolValue.of(false));
        }

        /** A domain that two services claim goes to the first: Envoy refuses the whole table otherwise. */
        void add(Service service, VirtualHost.Builder host) {
            service.hosts().everywhere().forEach(domain -> add(domain, host));
            service.hosts().inNamespace().getOrDefault(namespace, List.of()).forEach(domain -> add(domain, host));
            if (host.getDomainsCount() > 0) {
                configuration.addVirtualHosts(host);
            }
        }

        private void add(String domain, VirtualHost.Builder host) {
            if (domains.add(domain)) {
                host.addDomains(domain);
            }
        }

        Versioned build() {
            return Versioned.of(name, configuration.build());
        }
    }
}
