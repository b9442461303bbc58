package io.weft.controlplane.xds.policy;

import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HealthCheck;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink;
import io.envoyproxy.envoy.type.v3.CodecClientType;
import io.envoyproxy.envoy.type.v3.Int64Range;
import io.weft.controlplane.policy.MeshHealthCheck;
import io.weft.controlplane.policy.MeshHealthCheck.Grpc;
import io.weft.controlplane.policy.MeshHealthCheck.Http;
import io.weft.controlplane.policy.MeshHealthCheck.Tcp;
import io.weft.controlplane.policy.MeshHealthCheck.Timing;
import io.weft.controlplane.policy.Protocol;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;

/** {@code MeshHealthCheck}: the check for the port's own protocol or, where that is disabled, the one by TCP. */
public final class HealthCheckTranslator {

    private static final Duration INTERVAL = Duration.ofMinutes(1);
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final int UNHEALTHY_THRESHOLD = 5;
    private static final int HEALTHY_THRESHOLD = 1;

    public static void cluster(MeshHealthCheck check, Protocol protocol, Cluster.Builder cluster) {
        check.panic().threshold().ifPresent(threshold ->
                cluster.getCommonLbConfigBuilder().setHealthyPanicThreshold(Values.percent(threshold)));
        check.panic().failTraffic().ifPresent(fail -> {
            // Envoy knows no such thing where localities are weighted.
            if (!cluster.getCommonLbConfig().hasLocalityWeightedLbConfig()) {
                cluster.getCommonLbConfigBuilder().getZoneAwareLbConfigBuilder().setFailTrafficOnPanic(fail);
            }
        });
        HealthCheck.Builder health = timing(check.timing());
        Optional<Tcp> tcp = check.tcp().filter(each -> !each.disabled());
        if (protocol == Protocol.GRPC && check.grpc().isPresent()) {
            if (!check.grpc().get().disabled()) {
                cluster.addHealthChecks(health.setGrpcHealthCheck(grpc(check.grpc().get())));
                return;
            }
        } else if (protocol.http() && protocol != Protocol.GRPC && check.http().isPresent()) {
            if (!check.http().get().disabled()) {
                cluster.addHealthChecks(health.setHttpHealthCheck(http(check.http().get(), protocol)));
                return;
            }
        } else if (protocol.http()) {
            return;
        }
        tcp.ifPresent(each -> cluster.addHealthChecks(health.setTcpHealthCheck(tcp(each))));
    }

    private static HealthCheck.Builder timing(Timing timing) {
        HealthCheck.Builder health = HealthCheck.newBuilder()
                .setInterval(Values.duration(timing.interval().orElse(INTERVAL)))
                .setTimeout(Values.duration(timing.timeout().orElse(TIMEOUT)))
                .setUnhealthyThreshold(Values.number(timing.unhealthyThreshold().orElse(UNHEALTHY_THRESHOLD)))
                .setHealthyThreshold(Values.number(timing.healthyThreshold().orElse(HEALTHY_THRESHOLD)));
        timing.initialJitter().ifPresent(jitter -> health.setInitialJitter(Values.duration(jitter)));
        timing.intervalJitter().ifPresent(jitter -> health.setIntervalJitter(Values.duration(jitter)));
        timing.intervalJitterPercent().ifPresent(health::setIntervalJitterPercent);
        timing.noTrafficInterval().ifPresent(interval -> health.setNoTrafficInterval(Values.duration(interval)));
        timing.reuseConnection().ifPresent(reuse -> health.setReuseConnection(BoolValue.of(reuse)));
        timing.alwaysLogFailures().ifPresent(health::setAlwaysLogHealthCheckFailures);
        timing.eventLogPath().ifPresent(path -> health.addEventLogger(TypedExtensionConfig.newBuilder()
                .setName("envoy.health_check.event_sinks.file")
                .setTypedConfig(Values.any(HealthCheckEventFileSink.newBuilder().setEventLogPath(path).build()))));
        return health;
    }

    private static HealthCheck.GrpcHealthCheck grpc(Grpc grpc) {
        return HealthCheck.GrpcHealthCheck.newBuilder()
                .setServiceName(grpc.service())
                .setAuthority(grpc.authority())
                .build();
    }

    private static HealthCheck.HttpHealthCheck http(Http http, Protocol protocol) {
        HealthCheck.HttpHealthCheck.Builder check = HealthCheck.HttpHealthCheck.newBuilder()
                .setPath(http.path().orElse("/"))
                .addAllRequestHeadersToAdd(Values.additions(http.headers()));
        http.expected().forEach(status ->
                check.addExpectedStatuses(Int64Range.newBuilder().setStart(status).setEnd(status + 1)));
        if (protocol.http2()) {
            check.setCodecClientType(CodecClientType.HTTP2);
        }
        return check.build();
    }

    private static HealthCheck.TcpHealthCheck tcp(Tcp tcp) {
        HealthCheck.TcpHealthCheck.Builder check = HealthCheck.TcpHealthCheck.newBuilder();
        tcp.send().ifPresent(text -> check.setSend(payload(text)));
        tcp.receive().forEach(text -> check.addReceive(payload(text)));
        return check.build();
    }

    private static HealthCheck.Payload payload(String text) {
        return HealthCheck.Payload.newBuilder()
                .setText(HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8)))
                .build();
    }

    private HealthCheckTranslator() {}
}
