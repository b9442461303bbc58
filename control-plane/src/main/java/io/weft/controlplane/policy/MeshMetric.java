package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Ref;
import java.time.Duration;
import java.util.List;

/**
 * Kuma's {@code MeshMetric}.
 *
 * @param backends ports that an agent opens for Prometheus
 * @param pushes collectors that it sends metrics to
 */
public record MeshMetric(List<Prometheus> backends, List<OpenTelemetry> pushes) {

    public MeshMetric {
        backends = List.copyOf(backends);
        pushes = List.copyOf(pushes);
    }

    /** @param name of the backend, by which Kuma tells them apart */
    public record Prometheus(String name, int port, String path) {}

    /** @param interval from one time to the next */
    public record OpenTelemetry(Ref collector, Duration interval) {}
}
