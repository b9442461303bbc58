package io.weft.it.comparison;

import com.google.protobuf.Any;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.it.comparison.Case.Way;
import io.weft.it.harness.Policy;
import io.weft.it.harness.Routes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Cases that are in force at the same time: those with equal settings share a listener, and so do all that come in to the same server.
 * On every listener a virtual host
 * {@code probe.test} says which batch is in force, and {@code probe-cluster.test} whether its clusters are.
 *
 * @param placed in the order in which the cases were given
 * @param lanes one for each listener of what goes out
 * @param policy without the listeners of what comes in
 */
record Batch(int number, List<Placed> placed, List<Lane> lanes, Policy policy) {
    static final String PROBE = "probe.test";
    static final String CLUSTER_PROBE = "probe-cluster.test";

    /** @param instance of a case, ready to be sent through the gate */
    record Placed(Case instance, Gate gate) {}

    /**
     * What a request passes.
     *
     * @param port of what goes out, the same on both sides; 0: of what comes in each side has a port of its own
     */
    record Gate(Way way, int port) {
        static final List<Gate> IN = List.of(new Gate(Way.IN_JDK_HTTPSERVER, 0), new Gate(Way.IN_TOMCAT, 0));

        static Gate out(int port) {
            return new Gate(Way.OUT, port);
        }

        /** Of the listener and its routes. */
        String resource() {
            return way == Way.OUT ? "lane:" + port : way.name();
        }

        @Override
        public String toString() {
            return resource();
        }
    }

    record Lane(int port, Case.Settings settings) {}

    /**
     * @param numbers the first number for an instance of a case
     * @param homes settings with filters in the order in which they were first met; grows
     * @param ports one for each listener; there must be as many as there are different settings
     */
    static Batch of(int number, List<Case> cases, int numbers, List<Integer> ports, List<Case.Settings> homes, Clusters clusters) {
        Map<Case.Settings, Lane> laneOf = new LinkedHashMap<>();
        List<Placed> placed = new ArrayList<>();
        List<Integer> free = new ArrayList<>(ports);
        for (Case one : cases) {
            if (one.conduct().way() != Way.OUT) {
                placed.add(new Placed(one.instance(numbers + placed.size(), 0), new Gate(one.conduct().way(), 0)));
                continue;
            }
            Lane lane = laneOf.computeIfAbsent(one.settings(), settings -> new Lane(port(settings, homes, ports, free), settings));
            placed.add(new Placed(one.instance(numbers + placed.size(), lane.port), Gate.out(lane.port)));
        }
        List<Lane> lanes = new ArrayList<>(laneOf.values());
        // Those that are not needed stay, lest somebody else is given their ports.
        free.forEach(port -> lanes.add(new Lane(port, Case.Settings.NONE)));
        return new Batch(number, List.copyOf(placed), List.copyOf(lanes), policy(number, placed, lanes, clusters));
    }

    /** Filters from the last port on, each set of them on its own: a listener seldom has to change what it is made of. */
    private static int port(Case.Settings settings, List<Case.Settings> homes, List<Integer> ports, List<Integer> free) {
        if (settings.manager().getHttpFiltersCount() == 0) {
            return free.remove(0);
        }
        if (!homes.contains(settings)) {
            homes.add(settings);
        }
        Integer home = ports.get(ports.size() - 1 - homes.indexOf(settings) % ports.size());
        return free.remove(home) ? home : free.remove(free.size() - 1);
    }

    List<Gate> gates() {
        return Stream.concat(lanes.stream().map(lane -> Gate.out(lane.port)), Gate.IN.stream()).toList();
    }

    /** @param ports of the side on which requests come in */
    Policy policy(Map<Way, Integer> ports) {
        Policy all = policy;
        for (Gate gate : Gate.IN) {
            all = all.listener(inbound(gate, ports.get(gate.way)));
        }
        return all;
    }

    String mark() {
        return mark(number);
    }

    private static String mark(int number) {
        return "batch " + number;
    }

    private static Policy policy(int number, List<Placed> placed, List<Lane> lanes, Clusters fixed) {
        Policy policy = fixed.addTo(Policy.empty());
        String probe = "probe-" + number;
        policy = policy.cluster(fixed.of(probe, 0));
        for (Placed one : placed) {
            for (Cluster cluster : one.instance.clusters()) {
                policy = cluster.getType() == Cluster.DiscoveryType.EDS
                        // Written down together, sent apart.
                        ? policy.cluster(cluster.toBuilder().clearLoadAssignment().build()).endpoints(cluster.getLoadAssignment())
                        : policy.cluster(cluster);
            }
        }
        for (Lane lane : lanes) {
            Gate gate = Gate.out(lane.port);
            RouteConfiguration.Builder routes = routes(lane.settings.routes(), gate, number, placed)
                    .addVirtualHosts(host(CLUSTER_PROBE, lane.port).addRoutes(Routes.to(probe)));
            policy = policy.routes(routes.build()).listener(listener(gate.resource(), lane));
        }
        for (Gate gate : Gate.IN) {
            policy = policy.routes(routes(RouteConfiguration.getDefaultInstance(), gate, number, placed).build());
        }
        return policy;
    }

    private static RouteConfiguration.Builder routes(RouteConfiguration settings, Gate gate, int number, List<Placed> placed) {
        RouteConfiguration.Builder routes = settings.toBuilder().setName(gate.resource())
                .addVirtualHosts(host(PROBE, gate.port).addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setDirectResponse(DirectResponseAction.newBuilder()
                                .setStatus(200)
                                .setBody(DataSource.newBuilder().setInlineString(mark(number))))));
        placed.stream().filter(one -> one.gate.equals(gate))
                .forEach(one -> routes.addAllVirtualHosts(one.instance.routes().getVirtualHostsList()));
        return routes;
    }

    private static VirtualHost.Builder host(String name, int port) {
        return VirtualHost.newBuilder().setName(name).addDomains(name).addDomains(name + ":" + port);
    }

    private static Listener listener(String name, Lane lane) {
        Listener.Builder listener = Policy.outbound(lane.port, name).toBuilder();
        listener.getFilterChainsBuilder(0).getFiltersBuilder(0).setTypedConfig(Any.pack(manager(lane.settings.manager(), name)));
        return listener.build();
    }

    private static Listener inbound(Gate gate, int port) {
        Listener.Builder listener = Policy.outbound(port, gate.resource()).toBuilder().setTrafficDirection(TrafficDirection.INBOUND);
        listener.getAddressBuilder().getSocketAddressBuilder().setAddress("127.0.0.1");
        listener.getFilterChainsBuilder(0).getFiltersBuilder(0).setTypedConfig(Any.pack(manager(InboundArea.MANAGER, gate.resource())));
        return listener.build();
    }

    private static HttpConnectionManager manager(HttpConnectionManager settings, String routes) {
        return settings.toBuilder()
                .setStatPrefix("lane")
                .setRds(Rds.newBuilder().setRouteConfigName(routes).setConfigSource(Policy.ads()))
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("envoy.filters.http.router")
                        .setTypedConfig(Any.pack(Router.getDefaultInstance())))
                .build();
    }
}
