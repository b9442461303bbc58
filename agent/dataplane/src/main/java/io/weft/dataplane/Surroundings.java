package io.weft.dataplane;

import java.time.InstantSource;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What the data plane is given and does not make up: time, chance, a thread for what waits, who this instance is, and who hears of
 * its faults. A test simulates each of them.
 *
 * @param time for what is told people or other processes; for how long something takes there is the clock
 * @param timers for what must keep no request waiting
 */
public record Surroundings(
        NanoClock clock, InstantSource time, Randomness randomness, Timers timers, Faults faults, Self self) {

    /** With the system's clock and random numbers. */
    public static Surroundings ofSystem(Timers timers, Faults faults, Self self) {
        return new Surroundings(System::nanoTime, InstantSource.system(), new SystemRandomness(), timers, faults, self);
    }

    /** No lambda: that would be one more call on the way of each request, which a compiler follows so far and no further. */
    private static final class SystemRandomness implements Randomness {
        @Override
        public long bits() {
            return ThreadLocalRandom.current().nextLong();
        }
    }
}
