package io.weft.policy.model;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * When a request is sent more than once: what a route says of it, or a virtual host for the routes that do not.
 *
 * @param mirrors all of them act
 * @param bufferLimit {@code per_request_buffer_limit_bytes} or {@code request_body_buffer_limit}: a request with a longer body is
 *     sent once
 */
public record Resending(
        Optional<RetryPolicy> retry, Optional<HedgePolicy> hedge, List<MirrorPolicy> mirrors, OptionalLong bufferLimit) {
    public static final Resending NONE =
            new Resending(Optional.empty(), Optional.empty(), List.of(), OptionalLong.empty());

    public Resending {
        mirrors = List.copyOf(mirrors);
    }

    public static Resending of(RetryPolicy retry) {
        return new Resending(Optional.of(retry), Optional.empty(), List.of(), OptionalLong.empty());
    }

    public static Resending of(MirrorPolicy... mirrors) {
        return new Resending(Optional.empty(), Optional.empty(), List.of(mirrors), OptionalLong.empty());
    }

    public Resending with(HedgePolicy other) {
        return new Resending(retry, Optional.of(other), mirrors, bufferLimit);
    }

    /** @param bytes at least 0 */
    public Resending within(long bytes) {
        return new Resending(retry, hedge, mirrors, OptionalLong.of(bytes));
    }

    /** Each of the four as it is here, or else as it is there. */
    public Resending or(Resending other) {
        return new Resending(
                retry.or(other::retry),
                hedge.or(other::hedge),
                mirrors.isEmpty() ? other.mirrors : mirrors,
                bufferLimit.isPresent() ? bufferLimit : other.bufferLimit);
    }
}
