package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshHttpRoute.HeaderChanges;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Kuma's {@code MeshHealthCheck}.
 *
 * @param tcp what a check of bytes sends and expects, and so on for the others; absent: none
 */
public record MeshHealthCheck(Timing timing, Panic panic, Optional<Tcp> tcp, Optional<Http> http, Optional<Grpc> grpc) {

    public record Timing(
            Optional<Duration> interval,
            Optional<Duration> timeout,
            OptionalInt unhealthyThreshold,
            OptionalInt healthyThreshold,
            Optional<Duration> initialJitter,
            Optional<Duration> intervalJitter,
            OptionalInt intervalJitterPercent,
            Optional<Duration> noTrafficInterval,
            Optional<Boolean> reuseConnection,
            Optional<String> eventLogPath,
            Optional<Boolean> alwaysLogFailures) {}

    /** @param threshold percentage of healthy hosts below which all are used */
    public record Panic(Optional<BigDecimal> threshold, Optional<Boolean> failTraffic) {}

    public record Tcp(boolean disabled, Optional<String> send, List<String> receive) {
        public Tcp {
            receive = List.copyOf(receive);
        }
    }

    public record Http(boolean disabled, Optional<String> path, HeaderChanges headers, List<Integer> expected) {
        public Http {
            expected = List.copyOf(expected);
        }
    }

    public record Grpc(boolean disabled, String service, String authority) {}
}
