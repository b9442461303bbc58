package io.weft.agent.metrics;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** What somebody was told last who wants to be told what has come since. For one thread at a time. */
final class Differences {
    private final Map<String, Metric> told = new HashMap<>();
    private Instant since;
    private boolean begun;

    /**
     * @param start since when is counted
     * @param fromFirst whether he is told what was counted before; else somebody was told that before him
     */
    Differences(Instant start, boolean fromFirst) {
        since = start;
        begun = fromFirst;
    }

    /** Since when what he is told next has come. */
    Instant since() {
        return since;
    }

    Metric of(Metric now) {
        Metric before = told.put(now.name(), now);
        if (before == null) {
            return begun ? now : now.since(now);
        }
        return now.since(before);
    }

    /** He has been told of all metrics. */
    void told(Instant at) {
        since = at;
        begun = true;
    }
}
