package io.weft.dataplane.hash;

import io.weft.policy.model.LoadBalancing.Maglev;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Envoy's Maglev (<a href="https://research.google/pubs/pub44824/">paper</a>, listing 1, with weights): the keys take places of
 * the table in turn, each in an order of its own. A lookup is one read.
 */
public final class MaglevTable implements HashTable {
    private final PackedIndexes places;
    private final int size;
    private final boolean empty;

    private MaglevTable(PackedIndexes places, int size, boolean empty) {
        this.places = places;
        this.size = size;
        this.empty = empty;
    }

    public static MaglevTable of(WeightedKeys keys, Maglev policy) {
        if (keys.size() == 0) {
            return new MaglevTable(PackedIndexes.of(0, 0), 1, true);
        }
        int size = policy.tableSize();
        PackedIndexes places = PackedIndexes.of(size, keys.size());
        BitSet taken = new BitSet(size);
        Entry[] entries = entries(keys, size);
        double largest = keys.largest();
        int filled = 0;
        for (long iteration = 1; filled < size; iteration++) {
            for (int i = 0; i < entries.length && filled < size; i++) {
                Entry entry = entries[i];
                // The heaviest has its turn in each round, one of half its weight in each second.
                if (iteration * entry.weight < entry.target) {
                    continue;
                }
                entry.target += largest;
                while (taken.get(entry.place)) {
                    entry.next(size);
                }
                places.set(entry.place, entry.index);
                taken.set(entry.place);
                entry.next(size);
                filled++;
            }
        }
        return new MaglevTable(places, size, false);
    }

    private static Entry[] entries(WeightedKeys keys, int size) {
        Entry[] entries = new Entry[keys.size()];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = new Entry(i, keys.octets(i), keys.weights()[i], size);
        }
        // The outcome depends on the order of turns, which must not be that in which a control plane happens to list them.
        Arrays.sort(entries);
        return entries;
    }

    @Override
    public int find(long hash, int attempt) {
        if (empty) {
            return -1;
        }
        long other = attempt == 0 ? hash : hash ^ -attempt;
        return places.get((int) Long.remainderUnsigned(other, size));
    }

    private static final class Entry implements Comparable<Entry> {
        private final int index;
        private final byte[] key;
        private final double weight;
        private final int skip;
        private int place;
        private double target;

        Entry(int index, byte[] key, double weight, int size) {
            this.index = index;
            this.key = key;
            this.weight = weight;
            place = (int) Long.remainderUnsigned(XxHash64.hash(key, 0), size);
            skip = (int) Long.remainderUnsigned(XxHash64.hash(key, 1), size - 1) + 1;
        }

        void next(int size) {
            place = (int) (((long) place + skip) % size);
        }

        @Override
        public int compareTo(Entry other) {
            return Arrays.compareUnsigned(key, other.key);
        }
    }
}
