package io.weft.dataplane.cluster;

/**
 * Requests and successes so far in one number, so that nobody sees one without the other: each counts as a number of its own, and
 * what two such sums differ by is what came in between, also after the sum has gone round.
 */
final class Rate {
    private static final long REQUEST = 1;
    private static final long SUCCESS = 1L << 32;

    private Rate() {}

    /** What one response adds. */
    static long of(boolean success) {
        return success ? REQUEST + SUCCESS : REQUEST;
    }

    /** What came between the two. */
    record Interval(int requests, int successes) {

        static Interval between(long before, long now) {
            long difference = now - before;
            return new Interval((int) difference, (int) (difference >>> 32));
        }
    }
}
