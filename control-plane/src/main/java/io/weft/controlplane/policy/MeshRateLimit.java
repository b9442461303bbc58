package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshHttpRoute.HeaderChanges;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Kuma's {@code MeshRateLimit}: each instance counts by itself.
 *
 * @param requests absent: without a limit
 * @param connections absent: without a limit
 */
public record MeshRateLimit(Optional<Requests> requests, Optional<Rate> connections) {

    public static final MeshRateLimit NONE = new MeshRateLimit(Optional.empty(), Optional.empty());

    /** @param status of what is over the limit; absent: 429 */
    public record Requests(Rate rate, OptionalInt status, HeaderChanges headers) {}

    public record Rate(int number, Duration interval) {}

}
