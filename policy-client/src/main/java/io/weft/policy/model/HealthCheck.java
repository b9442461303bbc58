package io.weft.policy.model;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * {@code envoy.config.core.v3.HealthCheck}: how a cluster's hosts are asked whether they are well.
 *
 * @param timeout of one check; above zero
 * @param unhealthyThreshold checks in a row that must fail, 0 as 1
 * @param healthyThreshold checks in a row that must succeed, 0 as 1
 * @param reuseConnection from one check to the next
 * @param port in place of the host's own; 0: its own
 */
public record HealthCheck(
        Duration timeout,
        Intervals intervals,
        int unhealthyThreshold,
        int healthyThreshold,
        boolean reuseConnection,
        int port,
        Protocol protocol) {

    /**
     * From the end of one check to the beginning of the next; all above zero.
     *
     * @param noTraffic while the cluster has had no request yet
     * @param noTrafficHealthy the same, of a host that is healthy
     * @param unhealthy of a host that is
     * @param unhealthyEdge after a check that failed, of a host that is still healthy
     * @param healthyEdge after a check that succeeded, of a host that is still unhealthy
     */
    public record Intervals(
            Duration interval,
            Duration noTraffic,
            Duration noTrafficHealthy,
            Duration unhealthy,
            Duration unhealthyEdge,
            Duration healthyEdge,
            Jitter jitter) {}

    /**
     * At random up to so much more.
     *
     * @param initial before a host's first check
     * @param percent of the interval
     */
    public record Jitter(Duration initial, Duration interval, int percent) {
        public static final Jitter NONE = new Jitter(Duration.ZERO, Duration.ZERO, 0);
    }

    public sealed interface Protocol {}

    /**
     * @param host in the Host header; empty: the host's name, or else the cluster's
     * @param expected statuses that are good
     * @param retriable statuses that count as a failure only after {@code unhealthyThreshold} of them
     * @param headers of the request
     * @param body of the request; may be empty
     * @param receive parts that the response's body has, in order
     * @param receiveLimit bytes of the body that are looked at; 0: all
     * @param service what {@code x-envoy-upstream-healthchecked-cluster} must be
     */
    public record Http(
            HttpVersion version,
            String host,
            String path,
            String method,
            List<Statuses> expected,
            List<Statuses> retriable,
            HeaderChanges headers,
            Payload body,
            List<Payload> receive,
            long receiveLimit,
            Optional<StringMatch> service)
            implements Protocol {
        public Http {
            expected = List.copyOf(expected);
            retriable = List.copyOf(retriable);
            receive = List.copyOf(receive);
        }
    }

    /** @param end not included */
    public record Statuses(int start, int end) {
        public boolean contains(int status) {
            return status >= start && status < end;
        }
    }

    /**
     * {@code grpc.health.v1.Health/Check}.
     *
     * @param service may be empty: the server as a whole
     * @param authority empty: the host's name, or else the cluster's
     * @param metadata of the call
     */
    public record Grpc(String service, String authority, HeaderChanges metadata) implements Protocol {}

    /**
     * A connection, and if {@code receive} is not empty, what must come on it.
     *
     * @param receive parts of what comes, in order
     */
    public record Tcp(Payload send, List<Payload> receive) implements Protocol {
        public Tcp {
            receive = List.copyOf(receive);
        }
    }

    /** Bytes; immutable and equal by what they are. */
    public record Payload(String latin1) {
        public static final Payload EMPTY = new Payload("");
    }
}
