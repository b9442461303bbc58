package io.weft.it.chaos;

import java.util.Map;
import java.util.TreeMap;

/**
 * What became of requests.
 *
 * @param failures by status or exception
 * @param wrong how many were answered by somebody to whom no policy sends them
 * @param slowestMillis of the app's requests, with all their attempts
 */
record Count(long requests, Map<String, Integer> failures, int wrong, int slowestMillis) {
    static final Count NONE = new Count(0, Map.of(), 0, 0);

    Count {
        failures = Map.copyOf(failures);
    }

    int failed() {
        return failures.values().stream().mapToInt(Integer::intValue).sum();
    }

    Count plus(Count other) {
        Map<String, Integer> sum = new TreeMap<>(failures);
        other.failures.forEach((what, count) -> sum.merge(what, count, Integer::sum));
        return new Count(requests + other.requests, sum, wrong + other.wrong, Math.max(slowestMillis, other.slowestMillis));
    }
}
