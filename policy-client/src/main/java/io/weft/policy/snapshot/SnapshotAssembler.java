package io.weft.policy.snapshot;

import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceType;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns what came over the stream into consistent snapshots, the way Envoy warms its resources:
 * <ul>
 *   <li>A listener is published once all of its route configurations are there, an EDS cluster once its endpoints are. Until
 *       then the version published last stays in force; the first one is not there yet.
 *   <li>A refused resource leaves the last good one of its name in force.
 *   <li>What a state-of-the-world response omits is removed for listeners and clusters only.
 *   <li>A route configuration or assignment that is removed while something refers to it stays in force, as in Envoy, and is
 *       dropped with the last reference.
 * </ul>
 * Confined to one thread.
 */
public final class SnapshotAssembler {

    /** A state-of-the-world response of one type. */
    public void stateOfTheWorld(ResourceType type, List<ParseOutcome> outcomes) {
        throw new UnsupportedOperationException("assembler");
    }

    /** A delta response of one type. */
    public void delta(ResourceType type, List<ParseOutcome> outcomes, Collection<String> removed) {
        throw new UnsupportedOperationException("assembler");
    }

    /** What the cache held, all types at once; before anything else. The snapshot that follows has generation 0. */
    public void restore(List<ParseOutcome> outcomes) {
        throw new UnsupportedOperationException("assembler");
    }

    /** The snapshot in force now, when it differs from the one that this method gave last. */
    public Optional<PolicySnapshot> assemble() {
        throw new UnsupportedOperationException("assembler");
    }

    /**
     * The names to be subscribed to now, the same before and after {@link #assemble} of an unchanged state: for route
     * configurations and assignments; empty for the wildcard types.
     */
    public Set<String> wanted(ResourceType type) {
        throw new UnsupportedOperationException("assembler");
    }

    /** Versions by name of what is held, for {@code initial_resource_versions}. */
    public Map<String, String> versions(ResourceType type) {
        throw new UnsupportedOperationException("assembler");
    }

    /** All that is held, for the cache. */
    public List<RawResource> resources() {
        throw new UnsupportedOperationException("assembler");
    }
}
