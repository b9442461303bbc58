package io.weft.dataplane.hash;

import io.weft.policy.model.LoadBalancing.HashFunction;
import io.weft.policy.model.LoadBalancing.RingHash;
import java.util.Arrays;

/**
 * Envoy's ring hash, a Ketama ring: each key stands at the hashes of {@code key_0}, {@code key_1} and so on, as many as its
 * share of the ring, and a hash belongs to the next one after it. A lookup reads where the points with the hash's first bits begin,
 * and two or three of them; a binary search would cost a dozen branches that no processor can foresee.
 */
public final class RingTable implements HashTable {
    /**
     * Ascending. The upper bits are those of a point's hash, as a signed number in the order of the unsigned ones, and the lower bits the
     * number of its key: a lookup finds both in one place of the memory. What the lower bits of the hash would have said matters where
     * two hashes have all the upper ones in common, once in millions of millions of lookups.
     */
    private final long[] points;
    /** The lower bits, which hold the key. */
    private final long keyMask;
    /** For each value of a hash's first bits the index of the first point that is not before them. */
    private final int[] starts;
    /** Takes a hash's first bits. */
    private final int shift;

    private RingTable(long[] points, long keyMask) {
        this.points = points;
        this.keyMask = keyMask;
        // Two to four points for each start.
        starts = new int[Math.max(2, Integer.highestOneBit(points.length) / 2)];
        shift = Long.numberOfLeadingZeros(starts.length) + 1;
        int point = 0;
        for (int bits = 0; bits < starts.length; bits++) {
            while (point < points.length && (points[point] ^ Long.MIN_VALUE) >>> shift < bits) {
                point++;
            }
            starts[bits] = point;
        }
    }

    public static RingTable of(WeightedKeys keys, RingHash policy) {
        if (keys.size() == 0) {
            return new RingTable(new long[0], 0);
        }
        double least = keys.least();
        // So large that the key with the least weight has a whole number of points; the doubles are Envoy's to the last bit.
        double scale = Math.min(Math.ceil(least * policy.minSize()) / least, policy.maxSize());
        Points ring = new Points((int) Math.ceil(scale) + 1, keys.size());
        double target = 0;
        for (int key = 0; key < keys.size(); key++) {
            target += scale * keys.weights()[key];
            ring.add(key, keys.octets(key), target, policy.function());
        }
        return ring.sorted();
    }

    @Override
    public int find(long hash, int attempt) {
        if (points.length == 0) {
            return -1;
        }
        // A point with the same upper bits is not before it, whatever its key.
        long least = (hash ^ Long.MIN_VALUE) & ~keyMask;
        int next = starts[(int) (hash >>> shift)];
        while (next < points.length && points[next] < least) {
            next++;
        }
        int at = next == points.length ? 0 : next;
        return (int) (points[attempt == 0 ? at : (int) ((at + (long) attempt) % points.length)] & keyMask);
    }

    private static final class Points {
        private final long keyMask;
        private long[] points;
        private int size;

        Points(int expected, int keys) {
            points = new long[expected];
            keyMask = (1L << Integer.SIZE - Integer.numberOfLeadingZeros(keys - 1)) - 1;
        }

        void add(int key, byte[] octets, double target, HashFunction function) {
            byte[] text = Arrays.copyOf(octets, octets.length + 12);
            text[octets.length] = '_';
            for (int i = 0; size < target; i++) {
                int length = append(text, octets.length + 1, i);
                byte[] point = Arrays.copyOf(text, length);
                put(function == HashFunction.MURMUR_HASH_2 ? MurmurHash2.hash(point) : XxHash64.hash(point, 0), key);
            }
        }

        /** @return the length with the number */
        private static int append(byte[] text, int at, int number) {
            int digits = 1;
            for (int rest = number / 10; rest > 0; rest /= 10) {
                digits++;
            }
            int rest = number;
            for (int i = at + digits - 1; i >= at; i--) {
                text[i] = (byte) ('0' + rest % 10);
                rest /= 10;
            }
            return at + digits;
        }

        private void put(long hash, int key) {
            if (size == points.length) {
                points = Arrays.copyOf(points, size + size / 2 + 16);
            }
            points[size++] = (hash ^ Long.MIN_VALUE) & ~keyMask | key;
        }

        RingTable sorted() {
            long[] all = Arrays.copyOf(points, size);
            Arrays.sort(all);
            return new RingTable(all, keyMask);
        }
    }
}
