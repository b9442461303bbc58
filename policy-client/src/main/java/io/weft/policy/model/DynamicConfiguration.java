package io.weft.policy.model;

import java.util.List;
import java.util.Optional;

/**
 * What kuma-cp says to the process beside a proxy by listeners on sockets; nothing, by most listeners.
 *
 * @param names that it answers
 * @param pushes of metrics
 * @param socket of a listener to which metrics are sent
 */
public record DynamicConfiguration(NameTable names, List<MetricsPush.Said> pushes, Optional<MetricsPush.Socket> socket) {
    public static final DynamicConfiguration NONE = new DynamicConfiguration(NameTable.EMPTY, List.of(), Optional.empty());

    public DynamicConfiguration {
        pushes = List.copyOf(pushes);
    }
}
