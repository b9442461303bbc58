package io.weft.controlplane.xds;

import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
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
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
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
import io.weft.controlplane.xds.policy.TimeoutTranslator;
import java.util.List;
import java.util.Optional;

/** Envoy's listeners. */
final class ListenerBuilder {

    private static final HttpFilter ROUTER = HttpFilter.newBuilder()
            .setName("envoy.filters.http.router")
            .setTypedConfig(Versioned.of("", Router.getDefaultInstance()).message())
            .build();

    /** Requests to all services on one port, told apart by their host. */
    static Versioned outbound(
            int servicePort, String address, int port, List<AccessLog> logs, Optional<HttpConnectionManager.Tracing> tracing) {
        String name = Names.outbound(servicePort);
        HttpConnectionManager.Builder manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRds(Rds.newBuilder().setConfigSource(ClusterBuilder.ADS).setRouteConfigName(name))
                .addHttpFilters(ROUTER)
                .addAllAccessLog(logs);
        tracing.ifPresent(manager::setTracing);
        return Versioned.of(name, Listener.newBuilder()
                .setName(name)
                .setTrafficDirection(TrafficDirection.OUTBOUND)
                .setAddress(ClusterBuilder.address(address, port))
                .addFilterChains(FilterChain.newBuilder().addFilters(http(manager.build())))
                .build());
    }

    /** Requests to one port of the data plane itself, from whoever comes. */
    static Versioned inbound(String name, Dataplane.Inbound inbound, InboundPolicies policies) {
        return inbound(
                name, inbound, Listener.newBuilder().addFilterChains(chain(name, inbound, policies, Optional.empty())));
    }

    /**
     * The same for those who are who they say they are, and, where that is permitted, for others. A strict one lets others ask for the paths by which
     * its health is checked.
     */
    static Versioned inbound(
            String name,
            Dataplane.Inbound inbound,
            InboundPolicies policies,
            InboundSecurity security,
            TransportSocket downstream) {
        FilterChain.Builder mesh = chain(name, inbound, policies, Optional.of(security.permissions()))
                .setTransportSocket(downstream);
        Listener.Builder listener = Listener.newBuilder();
        boolean strict = security.mode() == TlsMode.STRICT;
        if (strict && (inbound.healthPaths().isEmpty() || !isHttp(inbound))) {
            return inbound(name, inbound, listener.addFilterChains(mesh));
        }
        listener.addListenerFilters(ListenerFilter.newBuilder()
                .setName("envoy.filters.listener.tls_inspector")
                .setTypedConfig(TlsBuilder.any(TlsInspector.getDefaultInstance())));
        if (strict) {
            HttpConnectionManager healthOnly = manager(name, policies, List.of(rbac(RbacBuilder.health(inbound.healthPaths())))).build();
            return inbound(name, inbound, listener
                    .addFilterChains(chain(policies)
                            .addFilters(http(healthOnly))
                            .setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("raw_buffer")))
                    .addFilterChains(mesh.setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("tls"))));
        }
        // Three kinds of connections: plaintext, TLS of the app's own, and mesh TLS, known by its ALPN.
        return inbound(name, inbound, listener
                .addFilterChains(chain(name, inbound, policies, Optional.empty())
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setTransportProtocol("raw_buffer")))
                .addFilterChains(chain(name, inbound, policies, Optional.empty())
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
    private static FilterChain.Builder chain(
            String name, Dataplane.Inbound inbound, InboundPolicies policies, Optional<Permissions> permissions) {
        FilterChain.Builder chain = chain(policies);
        if (isHttp(inbound)) {
            return chain.addFilters(http(manager(name, policies, permissions)));
        }
        permissions.ifPresent(
                some -> chain.addFilters(filter("envoy.filters.network.rbac", RbacBuilder.network(name, some))));
        TcpProxy.Builder proxy = TcpProxy.newBuilder().setStatPrefix(name).setCluster(name).addAllAccessLog(policies.logs());
        policies.timeout().ifPresent(timeout -> TimeoutTranslator.tcp(timeout, proxy));
        return chain.addFilters(filter("envoy.filters.network.tcp_proxy", proxy.build()));
    }

    private static FilterChain.Builder chain(InboundPolicies policies) {
        FilterChain.Builder chain = FilterChain.newBuilder();
        policies.connectionLimit()
                .ifPresent(limit -> chain.addFilters(filter("envoy.filters.network.local_ratelimit", limit)));
        return chain;
    }

    private static boolean isHttp(Dataplane.Inbound inbound) {
        return inbound.protocol().orElse(Protocol.HTTP).http();
    }

    private static HttpConnectionManager manager(
            String name, InboundPolicies policies, Optional<Permissions> permissions) {
        HttpConnectionManager.Builder manager =
                manager(name, policies, permissions.map(some -> rbac(RbacBuilder.http(some))).stream().toList());
        if (permissions.isPresent()) {
            manager.setForwardClientCertDetails(HttpConnectionManager.ForwardClientCertDetails.SANITIZE_SET)
                    .setSetCurrentClientCertDetails(
                            HttpConnectionManager.SetCurrentClientCertDetails.newBuilder().setUri(true));
        }
        return manager.build();
    }

    /** @param guards which requests have to pass first */
    private static HttpConnectionManager.Builder manager(String name, InboundPolicies policies, List<HttpFilter> guards) {
        HttpConnectionManager.Builder manager = HttpConnectionManager.newBuilder()
                .setStatPrefix(name)
                .setRouteConfig(toLocal(name, policies))
                .addAllAccessLog(policies.logs())
                .addAllHttpFilters(guards)
                .addAllHttpFilters(policies.faults())
                .addAllHttpFilters(policies.limits().filters())
                .addHttpFilters(ROUTER);
        policies.timeout().ifPresent(timeout -> TimeoutTranslator.manager(timeout, manager));
        policies.tracing().ifPresent(manager::setTracing);
        return manager;
    }

    private static HttpFilter rbac(RBAC rbac) {
        return HttpFilter.newBuilder().setName("envoy.filters.http.rbac").setTypedConfig(TlsBuilder.any(rbac)).build();
    }

    private static RouteConfiguration toLocal(String cluster, InboundPolicies policies) {
        // The caller's timeout holds; a second one here could only cut it short, so only a policy sets one.
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(cluster).setTimeout(Durations.ZERO);
        policies.timeout().ifPresent(timeout -> TimeoutTranslator.route(timeout, action));
        return RouteConfiguration.newBuilder()
                .setName(cluster)
                .addVirtualHosts(VirtualHost.newBuilder()
                        .setName(cluster)
                        .addDomains("*")
                        .addRoutes(Route.newBuilder()
                                .setName("default")
                                .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                                .setRoute(action)
                                .putAllTypedPerFilterConfig(policies.limits().route())))
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
