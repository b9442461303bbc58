package io.weft.policy;

import io.weft.policy.model.PolicySnapshot;

/** Told on the policy client's thread, one call after the other; must not block. */
@FunctionalInterface
public interface PolicyListener {
    /** A new snapshot, in order of generation; a cached one comes first. */
    void snapshot(PolicySnapshot snapshot);

    /** The connection, a refusal or something else of the status may have changed. Not before a cached snapshot, if there is one. */
    default void status(PolicyClientStatus status) {}
}
