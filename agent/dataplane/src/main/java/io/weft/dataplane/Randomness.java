package io.weft.dataplane;

/** A source of random bits. Thread-safe, and called on the request path. */
@FunctionalInterface
public interface Randomness {
    /** 64 random bits. */
    long bits();

    /** Uniform in 0 to {@code bound} - 1, to within {@code bound} / 2^32. */
    default int below(int bound) {
        return below(bound, (int) (bits() >>> 32));
    }

    /** The same made of 32 random bits. */
    static int below(int bound, int bits) {
        return (int) ((bits & 0xffff_ffffL) * bound >>> 32);
    }
}
