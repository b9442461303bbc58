package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshHttpRoute.HeaderMatch;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Kuma's {@code MeshRetry}. */
public record MeshRetry(Optional<Integer> maxConnectAttempts, Optional<Http> http, Optional<Grpc> grpc) {

    /** What both have. Zero retries: none at all. */
    public record Common(
            OptionalInt retries, Optional<Duration> perTryTimeout, Optional<BackOff> backOff, Optional<RateLimitedBackOff> rateLimited) {}

    /** @param conditions in Envoy's words; empty: the usual ones */
    public record Http(
            Common common,
            List<String> conditions,
            List<Integer> statuses,
            List<String> methods,
            List<HeaderMatch> responseHeaders,
            List<HeaderMatch> requestHeaders,
            Optional<List<HostSelection>> hostSelection,
            OptionalInt hostSelectionAttempts) {
        public Http {
            conditions = List.copyOf(conditions);
            statuses = List.copyOf(statuses);
            methods = List.copyOf(methods);
            responseHeaders = List.copyOf(responseHeaders);
            requestHeaders = List.copyOf(requestHeaders);
            hostSelection = hostSelection.map(List::copyOf);
        }
    }

    /** @param conditions in Envoy's words; empty: the usual ones */
    public record Grpc(Common common, List<String> conditions) {
        public Grpc {
            conditions = List.copyOf(conditions);
        }
    }

    public record BackOff(Optional<Duration> base, Optional<Duration> maximum) {}

    public record RateLimitedBackOff(List<ResetHeader> headers, Optional<Duration> maximum) {
        public RateLimitedBackOff {
            headers = List.copyOf(headers);
        }
    }

    public record ResetHeader(String name, Format format) {
        public enum Format { SECONDS, UNIX_TIMESTAMP }
    }

    public sealed interface HostSelection {}

    public record OmitPreviousHosts() implements HostSelection {}

    public record OmitHostsWithTags(Map<String, String> tags) implements HostSelection {}

    /** @param updateFrequency after how many attempts the priorities are weighed anew */
    public record OmitPreviousPriorities(int updateFrequency) implements HostSelection {}
}
