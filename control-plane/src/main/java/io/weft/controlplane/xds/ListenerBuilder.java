package io.weft.controlplane.xds;

import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.FilterChainMatch;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.listener.v3.ListenerFilter;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.envoyproxy.envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy;
import io.weft.controlplane.identity.InboundSecurity;
import io.weft.controlplane.identity.Permissions;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.TlsMode;
import java.util.Optional;

/** Envoy's listeners. */
final class ListenerBuilder {

    private static final HttpFilter ROUTER = HttpFilter.newBuilder()
            .setName("envoy.filters.http.router")
            .setTypedConfig(Versioned.of("", Router.getDefaultInstance()).message())
            .build();

    /** Requests to all services on one port, told apart by their host. */
    static Versioned outbound(int servicePort, String address, int port) {
        String name = Names.outbound(servicePort);
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRds(Rds.newBuilder().setConfigSource(ClusterBuilder.ADS).setRouteConfigName(name))
                .addHttpFilters(ROUTER)
                .build();
        return Versioned.of(name, Listener.newBuilder()
                .setName(name)
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(ClusterBuilder.address(address, port))
                .addFilterChains(FilterChain.newBuilder().addFilters(http(manager)))
                .build());
    }

    /** Requests to one port of the data plane itself, from whoever comes. */
    static Versioned inbound(String name, Dataplane.Inbound inbound) {
        return inbound(name, inbound, Listener.newBuilder().addFilterChains(chain(name, inbound, Optional.empty())));
    }

    /** The same for those who are who they say they are, and, where that is permitted, for others. */
    static Versioned inbound(
            String name, Dataplane.Inbound inbound, InboundSecurity security, TransportSocket downstream) {
        FilterChain.Builder mesh = chain(name, inbound, Optional.of(security.permissions())).setTransportSocket(downstream);
        Listener.Builder listener = Listener.newBuilder();
        if (security.mode() == TlsMode.STRICT) {
            return inbound(name, inbound, listener.addFilterChains(mesh));
        }
        // Three kinds of connections: plaintext, TLS of the app's own, and mesh TLS, known by its ALPN.
        return inbound(name, inbound, listener
                .addListenerFilters(ListenerFilter.newBuilder()
                        .setName("envoy.filters.listener.tls_inspector")
                        .setTypedConfig(TlsBuilder.any(TlsInspector.getDefaultInstance())))
                .addFilterChains(chain(name, inbound, Optional.empty())
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("raw_buffer")))
                .addFilterChains(chain(name, inbound, Optional.empty())
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("tls")))
                .addFilterChains(mesh.setFilterChainMatch(FilterChainMatch.newBuilder()
                        .setTransportProtocol("tls")
                        .addApplicationProtocols(TlsBuilder.ALPN))));
    }

    private static Versioned inbound(String name, Dataplane.Inbound inbound, Listener.Builder listener) {
        return Versioned.of(name, listener
                .setName(name)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(ClusterBuilder.address(inbound.address(), inbound.port()))
                .build());
    }

    /** @param permissions absent: the peer is nobody that could be asked for its name */
    private static FilterChain.Builder chain(String name, Dataplane.Inbound inbound, Optional<Permissions> permissions) {
        FilterChain.Builder chain = FilterChain.newBuilder();
        if (inbound.protocol().orElse(Protocol.HTTP).http()) {
            HttpConnectionManager.Builder manager = HttpConnectionManager.newBuilder()
                    .setStatPrefix(name)
                    .setRouteConfig(toLocal(name));
            permissions.ifPresent(some -> manager
                    .setForwardClientCertDetails(HttpConnectionManager.ForwardClientCertDetails.SANITIZE_SET)
                    .setSetCurrentClientCertDetails(
                            HttpConnectionManager.SetCurrentClientCertDetails.newBuilder().setUri(true))
                    .addHttpFilters(HttpFilter.newBuilder()
                            .setName("envoy.filters.http.rbac")
                            .setTypedConfig(TlsBuilder.any(RbacBuilder.http(some)))));
            return chain.addFilters(http(manager.addHttpFilters(ROUTER).build()));
        }
        permissions.ifPresent(
                some -> chain.addFilters(filter("envoy.filters.network.rbac", RbacBuilder.network(name, some))));
        return chain.addFilters(filter(
                "envoy.filters.network.tcp_proxy", TcpProxy.newBuilder().setStatPrefix(name).setCluster(name).build()));
    }

    private static RouteConfiguration toLocal(String cluster) {
        return RouteConfiguration.newBuilder()
                .setName(cluster)
                .addVirtualHosts(VirtualHost.newBuilder()
                        .setName(cluster)
                        .addDomains("*")
                        .addRoutes(Route.newBuilder()
                                .setName("default")
                                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                                // The caller's timeout holds; a second one here could only cut it short.
                                .setRoute(RouteAction.newBuilder()
                                        .setCluster(cluster)
                                        .setTimeout(Durations.ZERO))))
                .build();
    }

    private static Filter http(HttpConnectionManager manager) {
        return filter("envoy.filters.network.http_connection_manager", manager);
    }

    private static Filter filter(String name, Message config) {
        return Filter.newBuilder()
                .setName(name)
                .setTypedConfig(Versioned.of("", config).message())
                .build();
    }

    private ListenerBuilder() {}
}
