package io.weft.controlplane.policy;

import java.time.Duration;
import java.util.Optional;

/** Kuma's {@code MeshTimeout}. Zero: no limit. */
public record MeshTimeout(Optional<Duration> connection, Optional<Duration> idle, Http http) {

    public static final MeshTimeout NONE = new MeshTimeout(Optional.empty(), Optional.empty(), Http.NONE);

    public record Http(
            Optional<Duration> request,
            Optional<Duration> streamIdle,
            Optional<Duration> maxStream,
            Optional<Duration> maxConnection,
            Optional<Duration> requestHeaders) {

        static final Http NONE = new Http(
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }
}
