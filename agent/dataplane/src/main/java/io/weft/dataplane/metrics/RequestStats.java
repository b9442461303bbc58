package io.weft.dataplane.metrics;

/**
 * How many requests ended in one way since the process began or since the control plane first listed their cluster, and how long
 * they took.
 *
 * @param cluster of requests that go out; empty where there is none, as for one without a route
 * @param peer to whom they went, or from whom they came
 * @param requests that ended so
 * @param durations of the same: from the request's beginning to the end of the response. While requests come faster than
 *     {@link RequestMetrics} times them, each of those that it does time stands for several
 * @param requestSizes of the bodies of those that are timed, where the size is known
 * @param responseSizes likewise
 */
public record RequestStats(
        Direction direction,
        String cluster,
        Peer peer,
        Outcome outcome,
        long requests,
        Durations.Snapshot durations,
        Sizes.Snapshot requestSizes,
        Sizes.Snapshot responseSizes) {

    /** As seen from this process; what Istio calls the reporter. */
    public enum Direction { OUTBOUND, INBOUND }
}
