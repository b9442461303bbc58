package io.weft.it.chaos;

import io.weft.it.harness.Jdk;
import java.time.Duration;

/**
 * Something that breaks while an app sends requests.
 *
 * @param what breaks, in a line of the table in {@code docs/reliability.md}
 * @param promise what the mesh promises nevertheless
 * @param agents whether it breaks something that only agents have, or takes what is not modelled for Envoys
 */
record Fault(String name, String what, Promise promise, Act act, boolean agents) {
    Fault(String name, String what, Promise promise, Act act) {
        this(name, what, promise, act, false);
    }

    /** The same, not to be tried on Envoys. */
    Fault ofAgents() {
        return new Fault(name, what, promise, act, true);
    }

    /** Breaks something, mends it, and says what became of the requests meanwhile. */
    @FunctionalInterface
    interface Act {
        Count run(Shop shop) throws Exception;
    }

    /** @param lasting how long what is broken stays so */
    Count run(Shop.Mesh mesh, Jdk jdk, Duration lasting) throws Exception {
        try (Shop shop = new Shop(mesh, jdk, lasting)) {
            try {
                return act.run(shop);
            } catch (Exception | AssertionError failed) {
                shop.report();
                throw failed;
            }
        }
    }
}
