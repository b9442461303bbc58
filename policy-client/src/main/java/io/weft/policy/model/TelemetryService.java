package io.weft.policy.model;

import java.util.Optional;

/**
 * Where policy has telemetry sent to, by OpenTelemetry's protocol.
 *
 * @param cluster that leads there
 * @param path over HTTP; absent: by gRPC
 */
public record TelemetryService(String cluster, Optional<String> path) {

    /** Whether any listener has spans sent somewhere. */
    public static boolean isNamedIn(PolicySnapshot snapshot) {
        for (Listener listener : snapshot.listeners().values()) {
            for (FilterChain chain : listener.allFilterChains()) {
                for (NamedFilter filter : chain.http().filters()) {
                    if (filter.filter() instanceof HttpFilter.Traces traces && traces.tracing().collector().isPresent()) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
