package io.weft.controlplane.xds.policy;

import com.google.protobuf.BoolValue;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.GrpcService;
import io.envoyproxy.envoy.config.core.v3.HttpService;
import io.envoyproxy.envoy.config.core.v3.HttpUri;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.trace.v3.DatadogConfig;
import io.envoyproxy.envoy.config.trace.v3.OpenTelemetryConfig;
import io.envoyproxy.envoy.config.trace.v3.Tracing.Http;
import io.envoyproxy.envoy.config.trace.v3.ZipkinConfig;
import io.envoyproxy.envoy.config.trace.v3.ZipkinConfig.CollectorEndpointVersion;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing;
import io.envoyproxy.envoy.type.tracing.v3.CustomTag;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Collector;
import io.weft.controlplane.policy.MeshTrace;
import io.weft.controlplane.policy.MeshTrace.Backend;
import io.weft.controlplane.policy.MeshTrace.Datadog;
import io.weft.controlplane.policy.MeshTrace.Literal;
import io.weft.controlplane.policy.MeshTrace.OfHeader;
import io.weft.controlplane.policy.MeshTrace.OpenTelemetry;
import io.weft.controlplane.policy.MeshTrace.Tag;
import io.weft.controlplane.policy.MeshTrace.Zipkin;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code MeshTrace}. */
public final class TraceTranslator {

    /** Kuma's. */
    private static final int COLLECTOR_SECONDS = 10;

    /**
     * Whose spans they are.
     *
     * @param zone may be empty
     * @param workload Kuma's name of the resource; empty: nobody knows
     */
    public record Reporter(String service, String mesh, String zone, String workload) {}

    /** Where spans are sent to, as a cluster has it. */
    public record Destination(String cluster, String host, int port, boolean tls, boolean http2) {}

    /** Absent: nothing is traced. */
    public static Optional<Tracing> tracing(
            MeshTrace trace, Reporter reporter, TrafficDirection direction, List<MeshOpenTelemetryBackend> collectors) {
        return trace.backend().map(backend -> {
            Tracing.Builder tracing = Tracing.newBuilder().setSpawnUpstreamSpan(BoolValue.of(false));
            trace.sampling().overall().ifPresent(share -> tracing.setOverallSampling(Values.percent(share)));
            trace.sampling().client().ifPresent(share -> tracing.setClientSampling(Values.percent(share)));
            trace.sampling().random().ifPresent(share -> tracing.setRandomSampling(Values.percent(share)));
            trace.tags().forEach(tag -> tracing.addCustomTags(tag(tag)));
            origin(reporter).forEach((name, value) -> {
                if (!value.isEmpty() && trace.tags().stream().noneMatch(tag -> tag.name().equals(name))) {
                    tracing.addCustomTags(tag(new Literal(name, value)));
                }
            });
            provider(backend, reporter, direction, collectors).ifPresent(tracing::setProvider);
            return tracing.build();
        });
    }

    private static Map<String, String> origin(Reporter reporter) {
        Map<String, String> tags = new LinkedHashMap<>();
        tags.put("kuma.mesh", reporter.mesh());
        tags.put("kuma.zone", reporter.zone());
        tags.put("kuma.workload", reporter.workload());
        return tags;
    }

    private static CustomTag tag(Tag tag) {
        CustomTag.Builder builder = CustomTag.newBuilder().setTag(tag.name());
        if (tag instanceof OfHeader header) {
            return builder.setRequestHeader(CustomTag.Header.newBuilder()
                            .setName(header.header())
                            .setDefaultValue(header.otherwise()))
                    .build();
        }
        return builder.setLiteral(CustomTag.Literal.newBuilder().setValue(((Literal) tag).value())).build();
    }

    private static Optional<Http> provider(
            Backend backend, Reporter reporter, TrafficDirection direction, List<MeshOpenTelemetryBackend> collectors) {
        Http.Builder provider = Http.newBuilder();
        if (backend instanceof Zipkin zipkin) {
            return Optional.of(provider.setName("envoy.tracers.zipkin").setTypedConfig(Values.any(zipkin(zipkin))).build());
        }
        if (backend instanceof Datadog datadog) {
            // Kuma has a listener for each service, and so a name of where it leads, too.
            String service = datadog.splitService() ? reporter.service() + "_" + direction.name() : reporter.service();
            DatadogConfig config = DatadogConfig.newBuilder()
                    .setCollectorCluster(cluster("datadog", datadog.url()))
                    .setServiceName(service)
                    .build();
            return Optional.of(provider.setName("envoy.tracers.datadog").setTypedConfig(Values.any(config)).build());
        }
        return MeshOpenTelemetryBackend.find(((OpenTelemetry) backend).collector(), collectors)
                .map(collector -> provider.setName("envoy.tracers.opentelemetry")
                        .setTypedConfig(Values.any(openTelemetry(collector, reporter)))
                        .build());
    }

    private static ZipkinConfig zipkin(Zipkin zipkin) {
        return ZipkinConfig.newBuilder()
                .setCollectorCluster(cluster("zipkin", zipkin.url()))
                .setCollectorEndpoint(zipkin.path())
                .setTraceId128Bit(zipkin.longIds())
                .setCollectorEndpointVersion(
                        zipkin.protobuf() ? CollectorEndpointVersion.HTTP_PROTO : CollectorEndpointVersion.HTTP_JSON)
                .setSharedSpanContext(BoolValue.of(zipkin.sharedContext()))
                .setCollectorHostname(zipkin.hostPort())
                .build();
    }

    private static OpenTelemetryConfig openTelemetry(Collector collector, Reporter reporter) {
        String cluster = cluster("otel", collector.name());
        OpenTelemetryConfig.Builder config = OpenTelemetryConfig.newBuilder().setServiceName(reporter.service());
        return collector.http()
                ? config.setHttpService(HttpService.newBuilder()
                                .setHttpUri(HttpUri.newBuilder()
                                        .setUri(collector.uri("v1/traces"))
                                        .setCluster(cluster)
                                        .setTimeout(Durations.fromSeconds(COLLECTOR_SECONDS))))
                        .build()
                : config.setGrpcService(GrpcService.newBuilder()
                                .setEnvoyGrpc(GrpcService.EnvoyGrpc.newBuilder().setClusterName(cluster)))
                        .build();
    }

    /** Absent: spans have nowhere to go. */
    public static Optional<Destination> destination(MeshTrace trace, List<MeshOpenTelemetryBackend> collectors) {
        if (trace.backend().isEmpty()) {
            return Optional.empty();
        }
        Backend backend = trace.backend().get();
        if (backend instanceof Zipkin zipkin) {
            return Optional.of(new Destination(cluster("zipkin", zipkin.url()), zipkin.host(), zipkin.port(), zipkin.tls(), false));
        }
        if (backend instanceof Datadog datadog) {
            return Optional.of(new Destination(cluster("datadog", datadog.url()), datadog.host(), datadog.port(), false, false));
        }
        return MeshOpenTelemetryBackend.find(((OpenTelemetry) backend).collector(), collectors)
                .map(collector -> new Destination(
                        cluster("otel", collector.name()), collector.host(), collector.port(), collector.tls(), !collector.http()));
    }

    /** As Kuma makes names of what people wrote. */
    private static String cluster(String kind, String written) {
        return "system_meshtrace_" + kind + "_" + written.replaceAll("[^a-z0-9_-]", "-");
    }

    private TraceTranslator() {}
}
