package io.weft.controlplane.page;

import java.util.List;
import java.util.Map;

/**
 * What a service got of late: the answer of {@code /api/load}. Stretches of {@code stepSeconds}, the oldest first; the last one ended at
 * {@code endsAt}. Where there were no requests, latencies are null.
 *
 * @param now milliseconds, on a clock of the control plane's own that is never set
 * @param endsAt on the same clock
 * @param versions by the tag {@code version}; empty for instances without
 */
record LoadView(String mesh, String service, long stepSeconds, long now, long endsAt, Map<String, Version> versions) {

    /**
     * @param errors those for which nothing was sent included
     * @param refused answered with 401, 403 or 429
     * @param recentP99Millis of the last half minute, as are the others that are recent
     * @param recentErrors from 0 to 1, as are the other shares
     * @param recentClientErrors 4xx that are no refusals; they are part of the success
     */
    record Version(
            List<Long> requests,
            List<Long> errors,
            List<Long> refused,
            List<Double> p50Millis,
            List<Double> p99Millis,
            Double recentP99Millis,
            Double recentSuccess,
            Double recentErrors,
            Double recentRefused,
            Double recentClientErrors,
            MeshView.RefusedBy recentRefusedBy,
            double recentRequestsPerSecond) {}
}
