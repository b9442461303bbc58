package io.weft.dataplane.balance;

import io.weft.dataplane.Randomness;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where taking turns stands in each set of hosts, so that it goes on where it was when the hosts change. It begins anywhere, or
 * all processes would begin with the same host. For one thread.
 */
final class Positions {
    private static final int ANYWHERE = 1 << 16;

    private final Randomness randomness;
    private Map<String, AtomicInteger> last = Map.of();
    private Map<String, AtomicInteger> current = new HashMap<>();

    Positions(Randomness randomness) {
        this.randomness = randomness;
    }

    AtomicInteger of(String set) {
        AtomicInteger position = last.get(set);
        if (position == null) {
            position = new AtomicInteger(randomness.below(ANYWHERE));
        }
        current.put(set, position);
        return position;
    }

    /** What was not asked for since the last time is forgotten. */
    void endRound() {
        last = current;
        current = new HashMap<>();
    }
}
