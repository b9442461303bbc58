package io.weft.controlplane.xds.effect;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import io.weft.controlplane.load.Destinations;
import io.weft.controlplane.load.Destinations.Cluster;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What callers and destinations are called.
 *
 * @param services who gets what changes
 * @param before what clusters stood for
 * @param after what they would stand for
 */
public record Called(List<String> services, Destinations before, Destinations after) {

    static final String ALL_ALIKE = "all versions alike";

    private static final Pattern SUBSET = Pattern.compile("-[0-9a-f]{16}$");

    /** Those who get it. */
    String self() {
        return String.join(", ", services);
    }

    /** As in {@code storefront → orders}. */
    String to(String destination) {
        return self() + " → " + destination;
    }

    private Optional<Cluster> known(String cluster) {
        return Optional.ofNullable(after.clusters().getOrDefault(cluster, before.clusters().get(cluster)));
    }

    /** @param otherwise for one that is not known */
    String service(String cluster, String otherwise) {
        return known(cluster).map(Cluster::service).orElse(otherwise);
    }

    /** As in {@code orders v2}. */
    String destination(String cluster) {
        return known(cluster).map(to -> to.service() + to.version().map(version -> " " + version).orElse("")).orElse(cluster);
    }

    /** One share of what is called {@code service}. */
    String share(String cluster, String service) {
        Optional<Cluster> to = known(cluster);
        if (to.isEmpty()) {
            return cluster;
        }
        if (!to.get().service().equals(service)) {
            return destination(cluster);
        }
        // The hash of a subset's tags comes last; one by others than the version has no other name.
        return to.get().version().orElseGet(() -> SUBSET.matcher(cluster).find() ? "the cluster " + cluster : ALL_ALIKE);
    }

    /** As in {@code 1.5 s}; zero is none. */
    static String text(Duration time) {
        long millis = Durations.toMillis(time);
        if (millis == 0) {
            return Durations.toNanos(time) == 0 ? "none" : Durations.toNanos(time) + " ns";
        }
        if (millis % 1_000 != 0) {
            return millis + " ms";
        }
        return millis / 1_000 + " s";
    }
}
