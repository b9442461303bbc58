package io.weft.policy.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager}.
 *
 * @param filters in order, without the router
 * @param limits of requests whose route says nothing else
 */
public record HttpConnectionManager(
        String statPrefix, RouteSource routes, List<NamedFilter> filters, Edge edge, StreamLimits limits) {

    public HttpConnectionManager {
        filters = List.copyOf(filters);
    }

    /** With filters that come first: what network filters in front of it say. No route has a word in them. */
    public HttpConnectionManager behind(List<NamedFilter> first) {
        if (first.isEmpty()) {
            return this;
        }
        List<NamedFilter> all = new ArrayList<>(first);
        all.addAll(filters);
        return new HttpConnectionManager(statPrefix, routes, all, edge, limits);
    }

    /** What is made of a request that comes in before any rule looks at it. */
    public record Edge(
            PathNormalization paths, ClientAddress clientAddress, ClientCertificateHeader clientCertificate, ConnectionLimits connection) {
        public static final Edge NONE = new Edge(PathNormalization.NONE, ClientAddress.DEFAULT);

        /** Hands no client certificate on, and limits no connection. */
        public Edge(PathNormalization paths, ClientAddress clientAddress) {
            this(paths, clientAddress, ClientCertificateHeader.SANITIZE, ConnectionLimits.NONE);
        }
    }

    /**
     * When a connection over which requests come in is to end; zero is never.
     *
     * @param duration from its first request on
     * @param requests how many it may carry
     */
    public record ConnectionLimits(Duration duration, int requests) {
        public static final ConnectionLimits NONE = new ConnectionLimits(Duration.ZERO, 0);
    }

    /**
     * How long a request may take, and how large its head may be. Zero is no limit.
     *
     * @param idle nothing goes in either direction
     * @param duration from its beginning to the end of the response
     * @param headerBytes of what comes in: path, names and values together
     */
    public record StreamLimits(Duration idle, Duration duration, int headerBytes) {
        public static final StreamLimits NONE = new StreamLimits(Duration.ZERO, Duration.ZERO, 0);
    }

    /** Where the route configuration comes from. */
    public sealed interface RouteSource {}

    /** Carried inside the listener. */
    public record Inline(RouteConfiguration configuration) implements RouteSource {}

    /** Fetched under this name by RDS. */
    public record Named(String routeConfigName) implements RouteSource {}

    /** There is none: the chain passes bytes on. */
    public record Opaque() implements RouteSource {}
}
