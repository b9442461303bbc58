package io.weft.dataplane.hash;

/** MurmurHash2, 64 bits, in the variant of libstdc++'s {@code std::hash}, with its seed. */
public final class MurmurHash2 {
    private static final long MULTIPLIER = 0xc6a4a7935bd1e995L;
    private static final long SEED = 0xc70f6907L;

    private MurmurHash2() {}

    public static long hash(byte[] bytes) {
        int whole = bytes.length & ~7;
        long hash = SEED ^ bytes.length * MULTIPLIER;
        for (int i = 0; i < whole; i += 8) {
            hash = (hash ^ mix(load(bytes, i, 8) * MULTIPLIER) * MULTIPLIER) * MULTIPLIER;
        }
        if (whole < bytes.length) {
            hash = (hash ^ load(bytes, whole, bytes.length - whole)) * MULTIPLIER;
        }
        return mix(mix(hash) * MULTIPLIER);
    }

    private static long mix(long value) {
        return value ^ value >>> 47;
    }

    private static long load(byte[] bytes, int from, int count) {
        long value = 0;
        for (int i = from + count - 1; i >= from; i--) {
            value = value << 8 | bytes[i] & 0xff;
        }
        return value;
    }
}
