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
    /** Ascending, unsigned. */
    private final long[] points;
    /** The key at each point. */
    private final int[] keys;
    /** For each value of a hash's first bits the index of the first point that is not before them. */
    private final int[] starts;
    /** Takes a hash's first bits. */
    private final int shift;

    private RingTable(long[] points, int[] keys) {
        this.points = points;
        this.keys = keys;
        // Two to four points for each start.
        starts = new int[Math.max(2, Integer.highestOneBit(points.length) / 2)];
        shift = Long.numberOfLeadingZeros(starts.length) + 1;
        int point = 0;
        for (int bits = 0; bits < starts.length; bits++) {
            while (point < points.length && points[point] >>> shift < bits) {
                point++;
            }
            starts[bits] = point;
        }
    }

    public static RingTable of(WeightedKeys keys, RingHash policy) {
        if (keys.size() == 0) {
            return new RingTable(new long[0], new int[0]);
        }
        double least = keys.least();
        // So large that the key with the least weight has a whole number of points; the doubles are Envoy's to the last bit.
        double scale = Math.min(Math.ceil(least * policy.minSize()) / least, policy.maxSize());
        Points ring = new Points((int) Math.ceil(scale) + 1);
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
        int next = starts[(int) (hash >>> shift)];
        while (next < points.length && Long.compareUnsigned(points[next], hash) < 0) {
            next++;
        }
        int at = next == points.length ? 0 : next;
        return keys[attempt == 0 ? at : (int) ((at + (long) attempt) % points.length)];
    }

    private static final class Points {
        private long[] hashes;
        private int[] keys;
        private int size;

        Points(int expected) {
            hashes = new long[expected];
            keys = new int[expected];
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
            if (size == hashes.length) {
                hashes = Arrays.copyOf(hashes, size + size / 2 + 16);
                keys = Arrays.copyOf(keys, hashes.length);
            }
            hashes[size] = hash;
            keys[size++] = key;
        }

        /** By the hash as an unsigned number; a radix sort, since the library sorts no two arrays together. */
        RingTable sorted() {
            long[] fromHashes = hashes;
            int[] fromKeys = keys;
            long[] toHashes = new long[size];
            int[] toKeys = new int[size];
            for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
                int[] starts = new int[257];
                for (int i = 0; i < size; i++) {
                    starts[(int) (fromHashes[i] >>> shift & 0xff) + 1]++;
                }
                for (int i = 0; i < 256; i++) {
                    starts[i + 1] += starts[i];
                }
                for (int i = 0; i < size; i++) {
                    int to = starts[(int) (fromHashes[i] >>> shift & 0xff)]++;
                    toHashes[to] = fromHashes[i];
                    toKeys[to] = fromKeys[i];
                }
                long[] hashesBefore = fromHashes;
                int[] keysBefore = fromKeys;
                fromHashes = toHashes;
                fromKeys = toKeys;
                toHashes = hashesBefore;
                toKeys = keysBefore;
            }
            // After an even number of passes it is where it began.
            return new RingTable(Arrays.copyOf(fromHashes, size), Arrays.copyOf(fromKeys, size));
        }
    }
}
