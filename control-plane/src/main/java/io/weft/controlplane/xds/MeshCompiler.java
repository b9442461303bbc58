package io.weft.controlplane.xds;

import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.Vhds;
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
import io.weft.controlplane.policy.MeshAccessLog;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshMetric;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Collector;
import io.weft.controlplane.policy.MeshPassthrough;
import io.weft.controlplane.policy.MeshTrace;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ServiceType;
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
import io.weft.controlplane.xds.policy.TraceTranslator;
import io.weft.controlplane.xds.policy.TraceTranslator.Destination;
import io.weft.controlplane.xds.policy.TraceTranslator.Reporter;
import java.time.Duration;
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
import java.util.function.Supplier;
import java.util.stream.Stream;

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
    private final Map<PassthroughKey, Versioned> passthroughs = new HashMap<>();
    private final Map<TracedKey, Versioned> traced = new HashMap<>();
    private final MadeResources made;
    private final Object epoch;
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
     * @param incremental whether each virtual host is a resource of its own
     */
    private record Group(
            BitSet routes,
            BitSet entries,
            Optional<Shown> shown,
            Localities.Caller caller,
            String namespace,
            String zone,
            ClientNode.Kind kind,
            boolean incremental) {

        Group whateverItsRoutes() {
            return new Group(new BitSet(), entries, shown, caller, namespace, zone, kind, incremental);
        }

        Group in(String other) {
            return new Group(routes, entries, shown, caller, other, zone, kind, incremental);
        }
    }

    /** Clusters do not depend on routes, so groups of data planes share them too. */
    private record ClusterKey(String name, Optional<Shown> shown, ClientNode.Kind kind, ClusterPolicies policies) {}

    /** Of the same service and port it is the same as long as the service is called and reached in the same way. */
    private record ClusterOrigin(Service.Port port, ServiceType type, Optional<MeshExternalService> external) {}

    /** All that decides of requests for which there is no rule. */
    private record HostKey(
            String name, int port, String cluster, List<String> domains, Protocol protocol, boolean external, RoutePolicies policies) {}

    /** What hangs on a data plane and policies alone, whatever services there are. */
    private record Own(
            Optional<Identity> identity,
            Optional<Shown> shown,
            Optional<Tracing> tracing,
            List<Versioned> listeners,
            Table listenerTable,
            List<Versioned> clusters,
            Table clusterTable) {}

    private enum Shared { TRUST_BUNDLE }

    private record PassthroughKey(MeshPassthrough passthrough, String namespace) {}

    private record TracedKey(int port, List<AccessLog> logs, Tracing tracing) {}

    /** The virtual host of a port of which no route says anything. Nearly all are so, and nearly all are what they were before. */
    private record PlainHost(Service service, Object epoch, List<String> domains, RoutePolicies policies, Host host) {}

    /**
     * What such a port is to a group of data planes.
     *
     * @param epoch of all that is not the service's
     * @param endpoints empty: callers have them by the cluster
     */
    private record Plain(
            Object epoch,
            PlainHost host,
            String clusterName,
            Versioned cluster,
            Localities localities,
            Optional<Versioned> endpoints,
            Destinations.Cluster destination,
            Optional<MeshAccessLog> log) {}

    private record PlainHostsKey(Group group) {}

    private record PlainsKey(Group group) {}

    private record EndpointsKey(String name, Localities localities, String zone) {}

    private record ByNameKey(String name) {}

    /**
     * @param ports of all services, in order
     * @param listeners of those ports of which nothing is logged
     * @param logs what is, by port
     * @param hosts virtual hosts, unless they are in the routes
     * @param ownHosts those that are others for data planes of this namespace
     */
    private record Outbound(
            List<Integer> ports,
            Table clusters,
            Table endpoints,
            Table listeners,
            Map<Integer, OutboundLogs> logs,
            Table routes,
            Table hosts,
            Table ownHosts) {

        Outbound with(Table others) {
            return new Outbound(ports, clusters, endpoints, listeners, logs, routes, hosts, others);
        }
    }

    public MeshCompiler(
            ServiceCatalog services,
            AppliedPolicies policies,
            MeshSecurity security,
            ServedCertificates certificates,
            MadeResources made) {
        this.made = made;
        made.begin(policies, security);
        this.services = services;
        this.policies = policies;
        this.routes = policies.routes();
        outboundRules = new OutboundRules(policies.merged(), routes, policies.initial());
        inboundRules = new InboundRules(policies.merged(), policies.initial(), security::callers);
        epoch = made.epoch(outboundRules.entries());
        dataplaneRules = new DataplaneRules(policies.merged());
        callers = Callers.of(policies.merged());
        this.security = security;
        this.certificates = certificates;
    }

    /** What the clusters that were made so far, and the addresses of endpoints, stand for. */
    public Destinations destinations() {
        return destinations(Map.copyOf(destinations));
    }

    /** The same, which is not found out before somebody asks: there may be tens of thousands of endpoints, and changes faster than reports. */
    public Supplier<Destinations> destinationsOnceAsked() {
        Map<String, Destinations.Cluster> clusters = Map.copyOf(destinations);
        return new Supplier<>() {
            private Destinations known;

            @Override
            public synchronized Destinations get() {
                if (known == null) {
                    known = destinations(clusters);
                }
                return known;
            }
        };
    }

    private Destinations destinations(Map<String, Destinations.Cluster> clusters) {
        Map<String, String> endpoints = new HashMap<>();
        for (Service service : services.all()) {
            for (Service.Port port : service.ports()) {
                for (Service.Instance instance : port.instances()) {
                    endpoints.put(instance.hostPort(), instance.tags().getOrDefault(Labels.VERSION, ""));
                }
            }
        }
        return Destinations.of(clusters, endpoints);
    }

    /** @param incremental whether it takes virtual hosts one by one */
    NodeConfig configFor(ClientNode node, boolean incremental) {
        List<Map<String, String>> tags = node.tags();
        BitSet applicable = new BitSet(routes.size());
        for (int i = 0; i < routes.size(); i++) {
            MeshHttpRoute route = routes.get(i);
            applicable.set(i, route.metadata().reaches(node.metadata()) && route.target().selects(node.metadata(), tags));
        }
        BitSet entries = outboundRules.applicable(node.metadata(), tags);
        Own own = made.ofPolicies(node, "", () -> own(node));
        String namespace = services.differByNamespace() ? node.metadata().namespace() : "";
        String zone = services.differByZone() ? node.metadata().zone() : "";
        ClientNode.Kind kind = services.differByKind() ? node.kind() : ClientNode.Kind.AGENT;
        Outbound outbound =
                outbound(new Group(applicable, entries, own.shown(), callers.of(node), namespace, zone, kind, incremental));
        List<Versioned> listeners = new ArrayList<>(own.listeners());
        List<Versioned> localClusters = new ArrayList<>(own.clusters());
        Optional<Tracing> tracing = own.tracing();
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
        if (!proxy) {
            outside(node, listeners, localClusters);
        }
        return new NodeConfig(
                Map.of(
                        ResourceType.SECRET, new NodeConfig.Layers(Table.EMPTY, secrets(node, own.identity())),
                        ResourceType.CLUSTER, new NodeConfig.Layers(
                                outbound.clusters(), table(localClusters, own.clusters(), own.clusterTable())),
                        ResourceType.ENDPOINT, new NodeConfig.Layers(outbound.endpoints(), Table.EMPTY),
                        ResourceType.LISTENER, new NodeConfig.Layers(
                                sharedListeners, table(listeners, own.listeners(), own.listenerTable())),
                        ResourceType.ROUTE, new NodeConfig.Layers(outbound.routes(), Table.EMPTY),
                        ResourceType.VIRTUAL_HOST, new NodeConfig.Layers(outbound.hosts(), outbound.ownHosts())),
                own.shown().isPresent() ? node.addresses() : Set.of());
    }

    /** @param all those that are in the known table, and maybe more */
    private static Table table(List<Versioned> all, List<Versioned> known, Table table) {
        return all.size() == known.size() ? table : Table.of(all);
    }

    private Own own(ClientNode node) {
        Optional<Identity> identity = security.identity(node.workload());
        Optional<Shown> shown = identity.map(own -> node.kind() == ClientNode.Kind.AGENT
                ? new Shown.Requested()
                : new Shown.Served(own.name()));
        List<Versioned> listeners = new ArrayList<>();
        List<Versioned> clusters = new ArrayList<>();
        Set<Destination> collectors = new LinkedHashSet<>();
        inbound(node, shown, listeners, clusters, collectors);
        Optional<MeshTrace> trace = dataplaneRules.of(PolicyKinds.TRACE, node.metadata(), node.tags());
        trace.flatMap(said -> collector(said, node)).ifPresent(collectors::add);
        if (node.kind() != ClientNode.Kind.PROXY) {
            String address = node.dataplane().map(Dataplane::address).orElse(ANY_ADDRESS);
            dataplaneRules.of(PolicyKinds.METRIC, node.metadata(), node.tags())
                    .ifPresent(metric -> {
                        metric.backends().forEach(backend -> add(MetricTranslator.listener(backend, address), listeners));
                        push(metric, node, listeners, collectors);
                    });
        }
        collectors.forEach(collector -> clusters.add(ClusterBuilder.collector(collector, node.kind())));
        return new Own(
                identity,
                shown,
                trace.flatMap(said -> tracing(said, node, TrafficDirection.OUTBOUND)),
                listeners,
                Table.of(listeners),
                clusters,
                Table.of(clusters));
    }

    /** Where spans are sent to that this data plane can send. */
    private Optional<Destination> collector(MeshTrace trace, ClientNode node) {
        boolean sends = node.kind() == ClientNode.Kind.PROXY
                || trace.backend().filter(MeshTrace.OpenTelemetry.class::isInstance).isPresent();
        return sends ? TraceTranslator.destination(trace, policies.collectors()) : Optional.empty();
    }

    private void push(MeshMetric metric, ClientNode node, List<Versioned> listeners, Set<Destination> collectors) {
        Map<Collector, Duration> intervals = new LinkedHashMap<>();
        metric.pushes().forEach(push -> MeshOpenTelemetryBackend.find(push.collector(), policies.collectors())
                .ifPresent(collector -> intervals.putIfAbsent(collector, push.interval())));
        if (intervals.isEmpty()) {
            return;
        }
        intervals.keySet().forEach(collector -> {
            add(MetricTranslator.socket(collector), listeners);
            collectors.add(MetricTranslator.destination(collector));
        });
        Map<String, String> labels = new TreeMap<>(Map.of("mesh", node.mesh()));
        if (!node.zone().isEmpty()) {
            labels.put("zone", node.zone());
        }
        Optional.ofNullable(node.metadata().label(Labels.WORKLOAD)).ifPresent(workload -> labels.put("kuma.workload", workload));
        add(MetricTranslator.dynamicConfiguration(intervals, labels), listeners);
    }

    private static void add(Listener listener, List<Versioned> listeners) {
        listeners.add(Versioned.of(listener.getName(), listener));
    }

    /** An agent's key never leaves it, so it is served none. */
    private Table secrets(ClientNode node, Optional<Identity> identity) {
        if (identity.isEmpty()) {
            return Table.EMPTY;
        }
        Table bundle = made.ofPolicies(
                Shared.TRUST_BUNDLE, "", () -> Table.of(List.of(TlsBuilder.trustBundle(security.trust()))));
        if (node.kind() == ClientNode.Kind.AGENT) {
            return bundle;
        }
        List<Versioned> secrets = new ArrayList<>(bundle.resources());
        certificates.of(node.id(), identity.get())
                .ifPresent(certificate -> secrets.add(TlsBuilder.identity(identity.get().name(), certificate)));
        return Table.of(secrets);
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
                trace.flatMap(traced -> collector(traced, node)).ifPresent(collectors::add);
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
        Outbound known = outbounds.get(group);
        if (known == null) {
            known = group.incremental() && !group.namespace().isEmpty() ? inNamespace(group) : everything(group);
            outbounds.put(group, known);
        }
        return known;
    }

    /** A cluster may have many namespaces, and in each of them only its own services are called by other names than elsewhere. */
    private Outbound inNamespace(Group group) {
        Outbound elsewhere = outbound(group.in(""));
        if (!elsewhere.logs().isEmpty()) {
            // They are told apart by those names.
            return everything(group);
        }
        List<MeshHttpRoute> applicable = group.routes().stream().mapToObj(routes::get).toList();
        List<Versioned> hosts = new ArrayList<>();
        MadeResources.Each<Service.Port, PlainHost> plains = made.each(new PlainHostsKey(group.whateverItsRoutes()));
        for (Service service : services.all()) {
            List<String> names = service.hosts().inNamespace().get(group.namespace());
            if (names == null) {
                continue;
            }
            for (Service.Port port : service.ports()) {
                if (port.protocol().http()) {
                    hosts.add(inNamespace(group, new Target(service, port, Map.of()), names, applicable, plains).alone());
                }
            }
        }
        return elsewhere.with(Table.of(hosts));
    }

    private Host inNamespace(
            Group group,
            Target target,
            List<String> names,
            List<MeshHttpRoute> applicable,
            MadeResources.Each<Service.Port, PlainHost> plains) {
        Service service = target.service();
        List<RouteRules.Resolved> rules = RouteRules.of(service, target.port(), applicable);
        PlainHost before = plains.get(target.port());
        if (before != null && before.service() != service) {
            before = null;
        }
        if (isPlain(rules) && before != null && before.epoch() == epoch) {
            plains.keep(target.port(), before);
            return before.host();
        }
        List<String> domains = Stream.concat(service.hosts().everywhere().stream(), names.stream()).distinct().toList();
        if (!isPlain(rules)) {
            return host(group, target, domains, rules, new HashMap<>());
        }
        PlainHost plain = plainHost(group, target, domains, rules.get(0), before);
        plains.keep(target.port(), plain);
        return plain.host();
    }

    private Outbound everything(Group group) {
        List<MeshHttpRoute> applicable = group.routes().stream().mapToObj(routes::get).toList();
        Map<Integer, RouteTable> tables = new TreeMap<>();
        Map<Integer, OutboundLogs> logs = new TreeMap<>();
        Map<String, Target> targets = new LinkedHashMap<>();
        Map<String, Versioned> clusters = new HashMap<>();
        List<Versioned> endpoints = new ArrayList<>();
        MadeResources.Each<Service.Port, Plain> plains = made.each(new PlainsKey(group.whateverItsRoutes()));
        for (Service service : services.all()) {
            for (Service.Port port : service.ports()) {
                if (!port.protocol().http()) {
                    continue;
                }
                RouteTable table = tables.computeIfAbsent(port.number(), number -> new RouteTable(number, group.namespace()));
                OutboundLogs logged = logs.computeIfAbsent(port.number(), number -> new OutboundLogs());
                List<String> domains = table.claim(service);
                List<RouteRules.Resolved> rules = RouteRules.of(service, port, applicable);
                if (!isPlain(rules)) {
                    table.add(host(group, new Target(service, port, Map.of()), domains, rules, targets));
                    logged.add(service, domains, outboundRules.of(PolicyKinds.ACCESS_LOG, group.entries(), service, port));
                    continue;
                }
                Plain before = plains.get(port);
                if (before != null && before.host().service() != service) {
                    before = null;
                }
                Plain plain = before != null && before.epoch() == epoch && before.host().domains().equals(domains)
                        ? before
                        : plain(group, new Target(service, port, Map.of()), domains, rules.get(0), before);
                plains.keep(port, plain);
                table.add(plain.host().host());
                logged.add(service, plain.host().domains(), plain.log());
                destinations.putIfAbsent(plain.clusterName(), plain.destination());
                clusters.put(plain.clusterName(), plain.cluster());
                plain.endpoints().ifPresent(endpoints::add);
            }
        }
        targets.forEach((name, target) -> {
            if (!clusters.containsKey(name)) {
                ClusterPolicies said = ClusterPolicies.of(outboundRules, group.entries(), target, policies.initial());
                clusters.put(name, cluster(group, name, target, said));
                destinations.computeIfAbsent(name, absent -> destination(target));
                endpoints(group, name, target, Localities.of(said.balancing(), group.caller())).ifPresent(endpoints::add);
            }
        });
        logs.values().removeIf(OutboundLogs::isEmpty);
        List<Integer> ports = List.copyOf(tables.keySet());
        return new Outbound(
                ports,
                Table.of(clusters.values()),
                Table.of(endpoints),
                Table.of(ports.stream()
                        .filter(port -> !logs.containsKey(port))
                        .map(port -> ListenerBuilder.outbound(port, ANY_ADDRESS, port, List.of(), Optional.empty()))
                        .toList()),
                logs,
                Table.of(tables.values().stream().map(table -> table.build(group.incremental())).toList()),
                group.incremental()
                        ? Table.of(tables.values().stream().flatMap(table -> table.hosts.stream()).map(Host::alone).toList())
                        : Table.EMPTY,
                Table.EMPTY);
    }

    private static boolean isPlain(List<RouteRules.Resolved> rules) {
        return rules.size() == 1 && rules.get(0).origin().isEmpty();
    }

    /** @param before of the same service, under other policies or names; null: there is none */
    private Plain plain(Group group, Target target, List<String> domains, RouteRules.Resolved rule, Plain before) {
        String name = Names.cluster(target);
        ClusterPolicies said = ClusterPolicies.of(outboundRules, group.entries(), target, policies.initial());
        Localities localities = Localities.of(said.balancing(), group.caller());
        return new Plain(
                epoch,
                plainHost(group, target, domains, rule, before == null ? null : before.host()),
                name,
                cluster(group, name, target, said),
                localities,
                before != null && before.localities().equals(localities) ? before.endpoints() : endpoints(group, name, target, localities),
                destination(target),
                outboundRules.of(PolicyKinds.ACCESS_LOG, group.entries(), target.service(), target.port()));
    }

    /** @param before of the same service, under other policies or names; null: there is none */
    private PlainHost plainHost(
            Group group, Target target, List<String> domains, RouteRules.Resolved rule, PlainHost before) {
        Service service = target.service();
        Service.Port port = target.port();
        RoutePolicies said = policies(group, service, port, rule);
        if (before != null && before.domains().equals(domains) && before.policies().equals(said)) {
            return new PlainHost(service, epoch, before.domains(), said, before.host());
        }
        List<String> claimed = List.copyOf(domains);
        String name = Names.virtualHost(service, port);
        Host host = made.of(
                new HostKey(name, port.number(), Names.cluster(target), claimed, port.protocol(), service.external().isPresent(), said),
                "",
                () -> new Host(port.number(), name, claimed, new RouteBuilder(services, target).routes(rule, said)));
        return new PlainHost(service, epoch, claimed, said, host);
    }

    private static Destinations.Cluster destination(Target target) {
        return new Destinations.Cluster(target.service().shown(), Optional.ofNullable(target.tags().get(Labels.VERSION)));
    }

    private Versioned cluster(Group group, String name, Target target, ClusterPolicies said) {
        ClusterKey key = new ClusterKey(name, group.shown(), group.kind(), said);
        return made.ofPolicies(
                key,
                new ClusterOrigin(target.port(), target.service().type(), target.service().external()),
                () -> cluster(target, key));
    }

    /** Empty: what EDS says has to be addresses, and callers have names by the cluster. */
    private Optional<Versioned> endpoints(Group group, String name, Target target, Localities localities) {
        if (target.service().external().isPresent() || isByName(name, target.port())) {
            return Optional.empty();
        }
        return Optional.of(made.of(
                new EndpointsKey(name, localities, group.zone()),
                target.instances(),
                () -> ClusterBuilder.endpoints(target, localities, group.zone())));
    }

    /** Of tens of thousands of addresses few are others than the last time. */
    private boolean isByName(String name, Service.Port port) {
        return made.of(new ByNameKey(name), port.instances(), () -> ClusterBuilder.isByName(port));
    }

    /** @param targets gets those to which it leads */
    private Host host(
            Group group, Target destination, List<String> domains, List<RouteRules.Resolved> rules, Map<String, Target> targets) {
        Service service = destination.service();
        Service.Port port = destination.port();
        RouteBuilder builder = new RouteBuilder(services, destination);
        List<Route> all = new ArrayList<>();
        rules.forEach(rule -> all.addAll(builder.routes(rule, policies(group, service, port, rule))));
        targets.putAll(builder.targets());
        return new Host(port.number(), Names.virtualHost(service, port), domains, all);
    }

    private RoutePolicies policies(Group group, Service service, Service.Port port, RouteRules.Resolved rule) {
        return RoutePolicies.of(
                outboundRules, group.entries(), service, port, rule.origin().map(RouteRules.Origin::policy), policies.initial());
    }

    private Versioned cluster(Target target, ClusterKey key) {
        return target.service().external().isPresent()
                ? ClusterBuilder.external(target.service().external().get(), target, key.kind(), key.policies())
                : ClusterBuilder.cluster(target, key.shown(), security, key.policies());
    }

    /** What is called under some domains at one port. */
    private static final class Host {

        private final int port;
        private final VirtualHost host;
        private Versioned alone;

        Host(int port, String name, List<String> domains, List<Route> routes) {
            this.port = port;
            host = VirtualHost.newBuilder().setName(name).addAllDomains(domains).addAllRoutes(routes).build();
        }

        /** As a resource of its own, which is called after the table that it is in, as Envoy has it. */
        Versioned alone() {
            if (alone == null) {
                String name = Names.virtualHost(port, host.getName());
                alone = Versioned.of(name, host.toBuilder().setName(name).build());
            }
            return alone;
        }
    }

    /** The virtual hosts of one port. */
    private static final class RouteTable {

        private final int port;
        private final String namespace;
        private final List<Host> hosts = new ArrayList<>();
        private final Set<String> domains = new HashSet<>();

        /** @param namespace of the callers */
        RouteTable(int port, String namespace) {
            this.port = port;
            this.namespace = namespace;
        }

        /** One that is called by nothing is not in it. */
        void add(Host host) {
            if (host.host.getDomainsCount() > 0) {
                hosts.add(host);
            }
        }

        /** A domain that two services claim goes to the first: Envoy refuses the whole table otherwise. */
        List<String> claim(Service service) {
            List<String> claimed = new ArrayList<>();
            service.hosts().everywhere().stream().filter(domains::add).forEach(claimed::add);
            service.hosts().inNamespace().getOrDefault(namespace, List.of()).stream().filter(domains::add).forEach(claimed::add);
            return claimed;
        }

        /** @param incremental whether the hosts come by themselves */
        Versioned build(boolean incremental) {
            String name = Names.outbound(port);
            RouteConfiguration.Builder configuration = RouteConfiguration.newBuilder()
                    .setName(name)
                    // The listener's port has chosen already, and behind a proxy on another port the Host header has that one.
                    .setIgnorePortInHostMatching(true)
                    .setValidateClusters(BoolValue.of(false));
            if (incremental) {
                configuration.setVhds(Vhds.newBuilder().setConfigSource(ClusterBuilder.ADS));
            } else {
                hosts.forEach(each -> configuration.addVirtualHosts(each.host));
            }
            return Versioned.of(name, configuration.build());
        }
    }
}
