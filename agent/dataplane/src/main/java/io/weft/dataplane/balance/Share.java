package io.weft.dataplane.balance;

import io.weft.dataplane.Randomness;

/** The hosts for a part of the requests: one set of them, or one set of several for each request. Thread-safe. */
abstract sealed class Share {
    private Share() {}

    abstract HostSet next();

    /** What there is to choose from at all. */
    abstract HostSet[] sets();

    static Share of(HostSet set) {
        return new Whole(set);
    }

    private static final class Whole extends Share {
        private final HostSet set;

        Whole(HostSet set) {
            this.set = set;
        }

        @Override
        HostSet next() {
            return set;
        }

        @Override
        HostSet[] sets() {
            return new HostSet[] {set};
        }
    }

    /** By the weights of localities. */
    static final class ByWeight extends Share {
        private final HostSet[] zones;
        private final Turns turns;

        /** @param turns of the zones */
        ByWeight(HostSet[] zones, Turns turns) {
            this.zones = zones;
            this.turns = turns;
        }

        @Override
        HostSet next() {
            return zones[turns.next()];
        }

        @Override
        HostSet[] sets() {
            return zones;
        }
    }

    /** The own zone first. */
    static final class ByZone extends Share {
        private final HostSet whole;
        private final HostSet[] zones;
        private final ZoneRouting routing;
        private final int enabledPercent;
        private final Randomness randomness;

        /** @param whole for the requests that zone awareness is not for */
        ByZone(HostSet whole, HostSet[] zones, ZoneRouting routing, int enabledPercent, Randomness randomness) {
            this.whole = whole;
            this.zones = zones;
            this.routing = routing;
            this.enabledPercent = enabledPercent;
            this.randomness = randomness;
        }

        @Override
        HostSet next() {
            if (enabledPercent < 100 && randomness.below(100) >= enabledPercent) {
                return whole;
            }
            return zones[routing.next(randomness)];
        }

        @Override
        HostSet[] sets() {
            return new HostSet[] {whole};
        }
    }
}
