package io.weft.controlplane.policy;

import java.util.List;

/** Kuma's {@code MeshMetric}, of which an agent can open ports for Prometheus. */
public record MeshMetric(List<Prometheus> backends) {

    public MeshMetric {
        backends = List.copyOf(backends);
    }

    /** @param name of the backend, by which Kuma tells them apart */
    public record Prometheus(String name, int port, String path) {}
}
