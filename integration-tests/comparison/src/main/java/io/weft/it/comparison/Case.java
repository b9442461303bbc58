package io.weft.it.comparison;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A configuration and the requests that are sent under it.
 *
 * @param area as in {@code --area}
 * @param manager of the listener, without its routes
 * @param routes its virtual hosts are the case's own; the rest holds for the whole configuration. Its name is left out
 * @param clusters beside the {@link Clusters#FIXED} ones, which every case has
 */
record Case(
        String area,
        HttpConnectionManager manager,
        RouteConfiguration routes,
        List<Cluster> clusters,
        List<Request> requests,
        Judgement judgement,
        Conduct conduct) {

    /**
     * How the case goes on.
     *
     * @param before of the clusters, as they are for a while before the requests; empty: they are new
     */
    record Conduct(Pace pace, Way way, List<Cluster> before) {
        static final Conduct PLAIN = new Conduct(Pace.ONE_BY_ONE, Way.OUT, List.of());

        Conduct {
            before = List.copyOf(before);
        }

        static Conduct at(Pace pace) {
            return new Conduct(pace, Way.OUT, List.of());
        }

        static Conduct through(Way way) {
            return new Conduct(Pace.ONE_BY_ONE, way, List.of());
        }

        static Conduct after(List<Cluster> before, Pace pace) {
            return new Conduct(pace, Way.OUT, before);
        }
    }

    /** When the next request is sent. */
    enum Pace {
        /** When the one before has its response. */
        ONE_BY_ONE,
        /** A little later than the one before, whatever becomes of that. */
        STAGGERED,
        /** Beginning with the first at equal intervals, but when the one before has its response. */
        STEADY
    }

    /** Where the requests meet the policy. */
    enum Way {
        /** In the client library that sends them, or in an Envoy beside the client. */
        OUT,
        /** In the server that they come to, or in an Envoy in front of one. */
        IN_JDK_HTTPSERVER,
        IN_TOMCAT
    }

    /** Stands for the case in its domains and in the names of its clusters; every instance has another number, of the same length. */
    static final String ID = "case000000";

    /** Stands for the listener's port in domains. A port has five digits. */
    static final String PORT = "99999";

    static final String HOST = ID + ".test";

    Case {
        clusters = List.copyOf(clusters);
        requests = List.copyOf(requests);
    }

    Case(
            String area, HttpConnectionManager manager, RouteConfiguration routes, List<Cluster> clusters, List<Request> requests,
            Judgement judgement) {
        this(area, manager, routes, clusters, requests, judgement, Conduct.PLAIN);
    }

    /** The case under a name and a port of its own, so that instances share nothing. */
    Case instance(int number, int port) {
        String id = "case%06d".formatted(number);
        return new Case(
                area,
                manager,
                renamed(routes, id, port),
                clusters.stream().map(cluster -> renamed(cluster, id, port)).toList(),
                requests.stream().map(request -> request.map(text -> renamed(text, id, port))).toList(),
                judgement,
                new Conduct(
                        conduct.pace,
                        conduct.way,
                        conduct.before.stream().map(cluster -> renamed(cluster, id, port)).toList()));
    }

    Case with(HttpConnectionManager other) {
        return new Case(area, other, routes, clusters, requests, judgement, conduct);
    }

    Case with(RouteConfiguration other) {
        return new Case(area, manager, other, clusters, requests, judgement, conduct);
    }

    Case withClusters(List<Cluster> others) {
        return new Case(area, manager, routes, others, requests, judgement, conduct);
    }

    Case withRequests(List<Request> others) {
        return new Case(area, manager, routes, clusters, others, judgement, conduct);
    }

    /** The case as it is before its requests. */
    Case before() {
        return conduct.before.isEmpty() ? this : withClusters(conduct.before);
    }

    /** What all cases on one listener have in common. */
    Settings settings() {
        return new Settings(manager, routes.toBuilder().clearVirtualHosts().build());
    }

    record Settings(HttpConnectionManager manager, RouteConfiguration routes) {
        static final Settings NONE = new Settings(HttpConnectionManager.getDefaultInstance(), RouteConfiguration.getDefaultInstance());
    }

    private static String renamed(String text, String id, int port) {
        return text.replace(ID, id).replace(PORT, Integer.toString(port));
    }

    /** On the bytes, which reaches into what is packed, too; lengths stay as they are. */
    @SuppressWarnings("unchecked")
    private static <M extends Message> M renamed(M message, String id, int port) {
        String bytes = new String(message.toByteArray(), StandardCharsets.ISO_8859_1);
        try {
            return (M) message.getParserForType().parseFrom(renamed(bytes, id, port).getBytes(StandardCharsets.ISO_8859_1));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }
}
