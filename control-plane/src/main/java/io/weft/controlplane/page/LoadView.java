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
     * @param recentP99Millis of the last half minute, as are the others that are recent
     */
    record Version(
            List<Long> requests, List<Long> errors, List<Double> p50Millis, List<Double> p99Millis, Double recentP99Millis,
            Double recentSuccess, double recentRequestsPerSecond) {}
}
