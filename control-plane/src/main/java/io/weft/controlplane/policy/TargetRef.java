package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Whom a policy is for: Kuma's top-level {@code targetRef}. */
public sealed interface TargetRef {

    /** Kuma's order of kinds: a policy with a higher rank overrides one with a lower. */
    int rank();

    record WholeMesh(boolean sidecars) implements TargetRef {
        @Override
        public int rank() {
            return 10;
        }
    }

    /**
     * @param name absent: the labels select
     * @param namespace of the one that is named; empty: any
     */
    record Dataplanes(Optional<String> name, String namespace, Map<String, String> labels) implements TargetRef {
        /** A name counts before all else; that labels select makes no difference. */
        @Override
        public int rank() {
            return name.isPresent() ? 24 : 20;
        }
    }

    record Subset(Map<String, String> tags, boolean sidecars) implements TargetRef {
        @Override
        public int rank() {
            return 30;
        }
    }

    record OfService(String service) implements TargetRef {
        @Override
        public int rank() {
            return 50;
        }
    }

    record ServiceSubset(String service, Map<String, String> tags) implements TargetRef {
        @Override
        public int rank() {
            return 80;
        }
    }

    /** Those that the routes are for; it selects nobody until {@link Selected} says who these are. */
    record OfRoutes(Policy.Routes routes) implements TargetRef {
        @Override
        public int rank() {
            return 90;
        }
    }

    /** Those whom another policy that is referred to is for. */
    record Selected(TargetRef target, int rank) implements TargetRef {}

    /**
     * Whether it selects a data plane.
     *
     * @param tags of each of its inbounds; for one without inbounds, its service alone
     */
    default boolean selects(Metadata dataplane, List<Map<String, String>> tags) {
        if (this instanceof WholeMesh mesh) {
            return mesh.sidecars();
        }
        if (this instanceof Dataplanes dataplanes) {
            return dataplanes.name().map(name -> is(dataplane, name, dataplanes.namespace())).orElse(true)
                    && dataplane.has(dataplanes.labels());
        }
        if (this instanceof Subset subset) {
            return subset.sidecars() && tags.stream().anyMatch(inbound -> contains(inbound, subset.tags()));
        }
        if (this instanceof OfService service) {
            return tags.stream().anyMatch(inbound -> service.service().equals(inbound.get(Labels.SERVICE)));
        }
        if (this instanceof OfRoutes) {
            return false;
        }
        if (this instanceof Selected selected) {
            return selected.target().selects(dataplane, tags);
        }
        ServiceSubset subset = (ServiceSubset) this;
        return tags.stream()
                .anyMatch(inbound -> subset.service().equals(inbound.get(Labels.SERVICE))
                        && contains(inbound, subset.tags()));
    }

    /** One that says nothing of itself but its name may have its namespace in that. */
    private static boolean is(Metadata dataplane, String name, String namespace) {
        return name.equals(dataplane.displayName()) && dataplane.isOf(namespace)
                || dataplane.id().name().equals(name + "." + namespace);
    }

    private static boolean contains(Map<String, String> tags, Map<String, String> wanted) {
        return tags.entrySet().containsAll(wanted.entrySet());
    }
}
