package io.weft.controlplane.xds.policy;

import com.google.protobuf.BoolValue;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.CidrRange;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.FilterChainMatch;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.weft.controlplane.policy.IpLiteral;
import io.weft.controlplane.policy.MeshPassthrough;
import io.weft.controlplane.policy.MeshPassthrough.Match;
import io.weft.controlplane.policy.MeshPassthrough.Mode;
import io.weft.controlplane.policy.MeshPassthrough.Spoken;
import io.weft.controlplane.policy.MeshPassthrough.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * {@code MeshPassthrough}, as what Kuma's transparent proxy does with connections that no other listener is for. Envoy looks at the port
 * first, so that what is for all ports is said for each that is named once more, as in Kuma.
 */
public final class PassthroughTranslator {

    /** Kuma's name. There is one for each family there, and the other one would say the same to an agent. */
    public static final String NAME = "self_transparentproxy_passthrough_outbound_ipv4";

    private static final int ANY_PORT = 0;
    /** Kuma's. */
    private static final int PORT = 15_001;
    private static final int NOT_PERMITTED = 503;
    private static final String PLAIN = "raw_buffer";
    private static final String TLS = "tls";
    private static final String ANY = "";

    private final SortedMap<Integer, SortedSet<String>> http = new TreeMap<>();
    private final SortedMap<Integer, SortedSet<String>> names = new TreeMap<>();
    private final SortedMap<Ranges, SortedSet<String>> ranges = new TreeMap<>();

    private record Ranges(int port, String transport, boolean http) implements Comparable<Ranges> {
        @Override
        public int compareTo(Ranges other) {
            return (port + transport + http).compareTo(other.port + other.transport + other.http);
        }
    }

    private PassthroughTranslator() {}

    /** Whether anything is kept from being called. */
    public static boolean restricts(MeshPassthrough passthrough) {
        return passthrough.mode() != Mode.ALL;
    }

    /** What connections go on to where they were going. */
    public static Cluster cluster() {
        return Cluster.newBuilder()
                .setName(NAME)
                .setType(Cluster.DiscoveryType.ORIGINAL_DST)
                .setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED)
                .setConnectTimeout(Durations.fromSeconds(5))
                .build();
    }

    /** @param ofTheMesh hosts and addresses by port, that are no business of this policy's and that no other listener is for */
    public static Listener listener(MeshPassthrough passthrough, Map<Integer, List<String>> ofTheMesh) {
        PassthroughTranslator translator = new PassthroughTranslator();
        List<Match> matches = passthrough.mode() == Mode.MATCHED ? passthrough.matches() : List.of();
        SortedSet<Integer> ports = new TreeSet<>(ofTheMesh.keySet());
        matches.forEach(match -> match.port().ifPresent(ports::add));
        for (Match match : matches) {
            translator.add(match, match.port().orElse(ANY_PORT));
            if (match.port().isEmpty()) {
                ports.forEach(port -> translator.add(match, port));
            }
        }
        ofTheMesh.forEach((port, hosts) -> hosts.forEach(host -> translator.ofTheMesh(port, host)));
        return Listener.newBuilder()
                .setName(NAME)
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder().setAddress("0.0.0.0").setPortValue(PORT)))
                .setUseOriginalDst(BoolValue.of(true))
                .addAllFilterChains(translator.chains())
                .build();
    }

    private void add(Match match, int port) {
        if (match.type() == Type.DOMAIN) {
            (match.spoken() == Spoken.TLS ? names : http).computeIfAbsent(port, key -> new TreeSet<>()).add(match.value());
            return;
        }
        Ranges key = new Ranges(port, match.spoken() == Spoken.TLS ? TLS : PLAIN, match.spoken() == Spoken.HTTP);
        ranges.computeIfAbsent(key, absent -> new TreeSet<>()).add(match.value());
    }

    private void ofTheMesh(int port, String host) {
        if (IpLiteral.is(host)) {
            ranges.computeIfAbsent(new Ranges(port, ANY, false), absent -> new TreeSet<>()).add(host);
        } else {
            http.computeIfAbsent(port, key -> new TreeSet<>()).add(host);
            names.computeIfAbsent(port, key -> new TreeSet<>()).add(host);
        }
    }

    private List<FilterChain> chains() {
        List<FilterChain> chains = new ArrayList<>();
        names.forEach((port, hosts) -> chains.add(tcp(name("tls", port), match(port, TLS).addAllServerNames(hosts))));
        ranges.forEach((key, values) -> {
            FilterChainMatch.Builder match = match(key.port(), key.transport());
            values.forEach(value -> match.addPrefixRanges(range(value)));
            String name = name(key.http() ? "http_address" : key.transport().equals(TLS) ? "tls_address" : "tcp_address", key.port());
            chains.add(key.http() ? http(name, overHttp(match), List.of(host("address", List.of("*")))) : tcp(name, match));
        });
        http.forEach((port, hosts) -> {
            List<VirtualHost> virtualHosts = new ArrayList<>();
            for (String domain : hosts) {
                virtualHosts.add(host(domain, List.of(domain, domain + (port == ANY_PORT ? ":*" : ":" + port))));
            }
            virtualHosts.add(VirtualHost.newBuilder()
                    .setName("no_match")
                    .addDomains("*")
                    .addRoutes(all().setDirectResponse(DirectResponseAction.newBuilder()
                            .setStatus(NOT_PERMITTED)
                            .setBody(DataSource.newBuilder().setInlineString("no MeshPassthrough permits this host\n"))))
                    .build());
            chains.add(http(name("http", port), overHttp(match(port, PLAIN)), virtualHosts));
        });
        return chains;
    }

    private static String name(String kind, int port) {
        return "meshpassthrough_" + kind + "_" + (port == ANY_PORT ? "*" : Integer.toString(port));
    }

    private static FilterChainMatch.Builder match(int port, String transport) {
        FilterChainMatch.Builder match = FilterChainMatch.newBuilder().setTransportProtocol(transport);
        if (port != ANY_PORT) {
            match.setDestinationPort(UInt32Value.of(port));
        }
        return match;
    }

    private static FilterChainMatch.Builder overHttp(FilterChainMatch.Builder match) {
        return match.addApplicationProtocols("http/1.1").addApplicationProtocols("h2c");
    }

    private static CidrRange range(String value) {
        int slash = value.indexOf('/');
        int length = slash < 0 ? (value.contains(":") ? 128 : 32) : Integer.parseInt(value.substring(slash + 1));
        return CidrRange.newBuilder()
                .setAddressPrefix(slash < 0 ? value : value.substring(0, slash))
                .setPrefixLen(UInt32Value.of(length))
                .build();
    }

    private static Route.Builder all() {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/"));
    }

    private static VirtualHost host(String name, List<String> domains) {
        return VirtualHost.newBuilder()
                .setName(name)
                .addAllDomains(domains)
                .addRoutes(all().setRoute(RouteAction.newBuilder().setCluster(NAME)))
                .build();
    }

    private static FilterChain http(String name, FilterChainMatch.Builder match, List<VirtualHost> hosts) {
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRouteConfig(RouteConfiguration.newBuilder().setName(name).addAllVirtualHosts(hosts))
                .addHttpFilters(HttpFilter.newBuilder()
                        .setName("envoy.filters.http.router")
                        .setTypedConfig(Values.any(Router.getDefaultInstance())))
                .build();
        return chain(name, match, "envoy.filters.network.http_connection_manager", manager);
    }

    private static FilterChain tcp(String name, FilterChainMatch.Builder match) {
        TcpProxy proxy = TcpProxy.newBuilder().setStatPrefix(name).setCluster(NAME).build();
        return chain(name, match, "envoy.filters.network.tcp_proxy", proxy);
    }

    private static FilterChain chain(String name, FilterChainMatch.Builder match, String filter, Message config) {
        return FilterChain.newBuilder()
                .setName(name)
                .setFilterChainMatch(match)
                .addFilters(Filter.newBuilder().setName(filter).setTypedConfig(Values.any(config)))
                .build();
    }
}
