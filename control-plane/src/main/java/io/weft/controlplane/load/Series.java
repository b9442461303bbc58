package io.weft.controlplane.load;

import java.util.Arrays;

/** Figures of the latest stretches of time, each {@link LoadWindow#STEP} long, in a ring. Guarded by its {@link LoadWindow}. */
final class Series {

    private final int figures;
    /** Saturated: four thousand million requests in five seconds are not one control plane's. */
    private final int[] counts;
    /** Of the newest slot; slots count from the epoch of the clock. */
    private long newest = Long.MIN_VALUE;

    /** @param figures of each stretch */
    Series(int figures) {
        this.figures = figures;
        counts = new int[LoadWindow.SLOTS * figures];
    }

    void add(long slot, long[] more) {
        if (newest == Long.MIN_VALUE) {
            newest = slot;
        }
        while (newest < slot) {
            newest = Math.max(newest + 1, slot - LoadWindow.SLOTS + 1);
            Arrays.fill(counts, offset(newest), offset(newest) + figures, 0);
        }
        if (slot <= newest - LoadWindow.SLOTS) {
            return;
        }
        int at = offset(slot);
        for (int i = 0; i < figures; i++) {
            counts[at + i] = (int) Math.min(Integer.MAX_VALUE, counts[at + i] + Math.min(more[i], Integer.MAX_VALUE));
        }
    }

    long newest() {
        return newest;
    }

    /** Zeros where nothing is known. */
    long[] at(long slot) {
        long[] known = new long[figures];
        if (slot <= newest && slot > newest - LoadWindow.SLOTS) {
            int at = offset(slot);
            for (int i = 0; i < figures; i++) {
                known[i] = counts[at + i];
            }
        }
        return known;
    }

    private int offset(long slot) {
        return (int) Math.floorMod(slot, (long) LoadWindow.SLOTS) * figures;
    }
}
