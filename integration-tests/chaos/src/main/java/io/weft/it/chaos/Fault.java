package io.weft.it.chaos;

import io.weft.it.harness.Jdk;
import java.time.Duration;

/**
 * Something that breaks while an app sends requests.
 *
 * @param what breaks, in a line of the table in {@code docs/reliability.md}
 * @param promise what the mesh promises nevertheless
 */
record Fault(String name, String what, Promise promise, Act act) {

    /** Breaks something, mends it, and says what became of the requests meanwhile. */
    @FunctionalInterface
    interface Act {
        Count run(Shop shop) throws Exception;
    }

    /** @param lasting how long what is broken stays so */
    Count run(Jdk jdk, Duration lasting) throws Exception {
        try (Shop shop = new Shop(jdk, lasting)) {
            try {
                return act.run(shop);
            } catch (Exception | AssertionError failed) {
                shop.report();
                throw failed;
            }
        }
    }
}
