package io.weft.driver;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.LongStream;

/** How long each of many requests took. Thread-safe. */
public final class Latencies {
    private static final long FAILED = -1;

    private final AtomicLongArray nanos;
    private volatile Object failure = "";

    public Latencies(int requests) {
        nanos = new AtomicLongArray(requests);
    }

    public void succeeded(int number, long after) {
        nanos.set(number, after);
    }

    public void failed(int number, Object why) {
        nanos.set(number, FAILED);
        failure = why;
    }

    /** {@code failed}, how many; {@code failure}, how the last of them did; {@code p50} and {@code p99} of the others, in nanoseconds. */
    public Map<String, String> toForm() {
        long[] sorted = LongStream.range(0, nanos.length()).map(i -> nanos.get((int) i)).filter(latency -> latency != FAILED).sorted().toArray();
        return Map.of(
                "failed", Integer.toString(nanos.length() - sorted.length),
                "failure", failure.toString(),
                "p50", Long.toString(quantile(sorted, 0.5)),
                "p99", Long.toString(quantile(sorted, 0.99)));
    }

    private static long quantile(long[] sorted, double q) {
        return sorted.length == 0 ? FAILED : sorted[(int) Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
    }
}
