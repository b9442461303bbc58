package io.weft.policy.load;

import java.util.List;

/** Who knows the load. Called on the policy client's thread, once for each report. */
public interface LoadSource {

    /** Every cluster of the policy in force, each counted since it was first listed. */
    List<ClusterLoad> load();

    /** Of the requests that came in. */
    default InboundRefusals refusals() {
        return InboundRefusals.NONE;
    }
}
