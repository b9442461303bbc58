package io.weft.it.harness;

import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import java.util.Map;

/**
 * Tells when a client obeys the whole of a policy. A mark in one kind of resource would not do: a server of policies may send the others
 * of the same policy later, when an answer of the client crosses its push.
 *
 * <p>Each policy gets a listener, a route configuration, a cluster and an assignment of its number, each of which leads to the next, and
 * the endpoint answers with its number. Who is answered with the newest therefore has the newest of each kind: a response that brings a name
 * which was just subscribed to brings all that has changed of its kind, or comes after the one that did. Secrets are not covered.
 *
 * <p>For one thread.
 */
public final class Generations implements AutoCloseable {
    private static final String HOST = "generation.test";
    private static final int PORT = 81;
    /** Whose answer says which generation is obeyed. */
    public static final String URL = "http://" + HOST + ":" + PORT + "/";

    private final Upstream upstream = Upstream.start("generation");
    private int newest;

    public Generations() {
        upstream.react(request -> new Upstream.Respond(200, Map.of(), request.header("host").orElse("")));
    }

    /** The policy as the newest. */
    public Policy next(Policy policy) {
        newest++;
        return marked(policy);
    }

    /**
     * The policy under the number of the one before: for one that nobody waits for. A client holds a change back while it asks for what
     * is new in it, and with every further one anew.
     */
    public Policy marked(Policy policy) {
        Route toEndpoint = Routes.to(name());
        Route named = toEndpoint.toBuilder()
                .setRoute(toEndpoint.getRoute().toBuilder().setAutoHostRewrite(BoolValue.of(true))).build();
        LbEndpoint.Builder endpoint = Policy.endpoint(upstream.address()).toBuilder();
        endpoint.getEndpointBuilder().setHostname(name());
        return policy
                .listener(Policy.outbound(PORT, name()))
                .routes(RouteConfiguration.newBuilder()
                        .setName(name())
                        .addVirtualHosts(VirtualHost.newBuilder().setName(HOST).addDomains("*").addRoutes(named))
                        .build())
                .cluster(Cluster.newBuilder()
                        .setName(name())
                        .setType(Cluster.DiscoveryType.EDS)
                        .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(Policy.ads()))
                        .build())
                .endpoints(ClusterLoadAssignment.newBuilder()
                        .setClusterName(name())
                        .addEndpoints(LocalityLbEndpoints.newBuilder().addLbEndpoints(endpoint))
                        .build());
    }

    /**
     * Whether this client driver obeys the newest. On a busy machine the parts of a policy may come so far apart that the client obeys the first ones
     * meanwhile: then this URL leads nowhere.
     */
    public boolean isObeyedBy(JvmProcess client) {
        return isNewest(client.ask(Map.of("url", URL)).get("body"));
    }

    /** @param answer the body of the answer to {@link #URL}; null: there is none */
    public boolean isNewest(String answer) {
        return name().equals(answer);
    }

    private String name() {
        return "generation-" + newest;
    }

    @Override
    public void close() {
        upstream.close();
    }
}
