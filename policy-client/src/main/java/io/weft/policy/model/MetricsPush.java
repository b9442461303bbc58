package io.weft.policy.model;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where policy wants metrics to be sent to, how often, and what is to be said of this process with them.
 *
 * @param target empty: policy leads to no collector that this process could be sure of
 */
public record MetricsPush(Said said, Optional<TelemetryTarget> target) {

    /**
     * As it is said: to a socket, behind which a listener leads to the collector.
     *
     * @param labels of this process
     */
    public record Said(String socket, Duration interval, Map<String, String> labels) {
        public Said {
            labels = Map.copyOf(labels);
        }
    }

    /**
     * A listener on a socket for what sends metrics.
     *
     * @param service where it leads
     */
    public record Socket(String path, TelemetryService service) {}

    /** All of them; mostly none. */
    public static Set<MetricsPush> of(PolicySnapshot snapshot) {
        Set<MetricsPush> pushes = new HashSet<>();
        for (Listener listener : snapshot.listeners().values()) {
            for (Said said : listener.dynamic().pushes()) {
                pushes.add(new MetricsPush(said, target(snapshot, said.socket())));
            }
        }
        return pushes;
    }

    private static Optional<TelemetryTarget> target(PolicySnapshot snapshot, String socket) {
        for (Listener listener : snapshot.listeners().values()) {
            Optional<Socket> known = listener.dynamic().socket().filter(of -> of.path().equals(socket));
            if (known.isPresent()) {
                TelemetryService service = known.get().service();
                Cluster cluster = snapshot.clusters().get(service.cluster());
                // As what is behind it speaks gRPC, so does the cluster speak HTTP/2.
                boolean grpc = cluster != null && cluster.http() == HttpVersion.HTTP_2;
                return TelemetryTarget.of(snapshot, grpc ? new TelemetryService(service.cluster(), Optional.empty()) : service);
            }
        }
        return Optional.empty();
    }
}
