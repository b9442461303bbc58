package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whom a policy for incoming traffic is for.
 *
 * @param section name or number of one inbound; absent: all
 */
public record InboundTarget(TargetRef dataplanes, Optional<String> section) {

    /** Kuma's order: a policy with a higher rank overrides one with a lower. A section decides only among those that are else equal. */
    public int rank() {
        return dataplanes.rank() + (section.isPresent() ? 1 : 0);
    }

    /** @param tags of each inbound of the data plane */
    public boolean selects(Metadata dataplane, List<Map<String, String>> tags, Dataplane.Inbound inbound) {
        boolean whole = dataplanes instanceof TargetRef.Dataplanes || dataplanes instanceof TargetRef.WholeMesh;
        // Where tags select, those of the inbound itself count: a data plane may have several services.
        return dataplanes.selects(dataplane, whole ? tags : List.of(inbound.tags()))
                && includes(inbound);
    }

    /** Whether it is, of a data plane that is selected, for that inbound. */
    public boolean includes(Dataplane.Inbound inbound) {
        return section.map(name -> name.equals(Integer.toString(inbound.port()))
                        || inbound.name().map(name::equals).orElse(false))
                .orElse(true);
    }
}
