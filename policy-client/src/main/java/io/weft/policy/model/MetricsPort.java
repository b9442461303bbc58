package io.weft.policy.model;

import java.util.HashSet;
import java.util.Set;

/** Where policy wants metrics to be read. */
public record MetricsPort(HostPort address, String path) {

    /** All of them; mostly none. */
    public static Set<MetricsPort> of(PolicySnapshot snapshot) {
        Set<MetricsPort> ports = new HashSet<>();
        for (Listener listener : snapshot.listeners().values()) {
            listener.metricsPath().ifPresent(path -> ports.add(new MetricsPort(listener.address(), path)));
        }
        return ports;
    }
}
