package io.weft.dataplane;

import java.util.SplittableRandom;

/** The same numbers in each run. */
public final class SeededRandomness implements Randomness {
    private final SplittableRandom random;

    public SeededRandomness(long seed) {
        random = new SplittableRandom(seed);
    }

    @Override
    public synchronized long bits() {
        return random.nextLong();
    }
}
