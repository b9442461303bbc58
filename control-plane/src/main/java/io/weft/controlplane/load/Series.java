package io.weft.controlplane.load;

/** The latest stretches of time, each {@link LoadWindow#STEP} long, in a ring. Guarded by its {@link LoadWindow}. */
final class Series {

    private static final int FIXED = 4;
    private static final int FIELDS = FIXED + Latencies.BUCKETS;

    /** Saturated: four thousand million requests in five seconds are not one control plane's. */
    private final int[] counts = new int[LoadWindow.SLOTS * FIELDS];
    private final int[] inProgress = new int[LoadWindow.SLOTS];
    /** Of the newest slot; slots count from the epoch of the clock. */
    private long newest = Long.MIN_VALUE;

    void add(long slot, Load load) {
        if (newest == Long.MIN_VALUE) {
            newest = slot;
        }
        while (newest < slot) {
            newest = Math.max(newest + 1, slot - LoadWindow.SLOTS + 1);
            clear(newest);
        }
        if (slot <= newest - LoadWindow.SLOTS) {
            return;
        }
        int at = offset(slot);
        count(at, load.successes());
        count(at + 1, load.errors());
        count(at + 2, load.dropped());
        count(at + 3, load.secured());
        long[] latencies = load.latencies();
        for (int i = 0; i < latencies.length; i++) {
            count(at + FIXED + i, latencies[i]);
        }
        inProgress[index(slot)] = saturated(inProgress[index(slot)], load.inProgress());
    }

    long newest() {
        return newest;
    }

    /** Nothing where nothing is known. */
    Load at(long slot) {
        if (slot > newest || slot <= newest - LoadWindow.SLOTS) {
            return Load.NONE;
        }
        int at = offset(slot);
        long[] latencies = new long[Latencies.BUCKETS];
        for (int i = 0; i < latencies.length; i++) {
            latencies[i] = counts[at + FIXED + i];
        }
        return new Load(counts[at], counts[at + 1], counts[at + 2], counts[at + 3], inProgress[index(slot)], latencies);
    }

    private void count(int at, long more) {
        counts[at] = saturated(counts[at], more);
    }

    private static int saturated(int count, long more) {
        return (int) Math.min(Integer.MAX_VALUE, count + Math.min(more, Integer.MAX_VALUE));
    }

    private void clear(long slot) {
        java.util.Arrays.fill(counts, offset(slot), offset(slot) + FIELDS, 0);
        inProgress[index(slot)] = 0;
    }

    private static int index(long slot) {
        return (int) Math.floorMod(slot, (long) LoadWindow.SLOTS);
    }

    private static int offset(long slot) {
        return index(slot) * FIELDS;
    }
}
