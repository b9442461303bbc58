package io.weft.controlplane.load;

import java.util.Arrays;

/**
 * What happened in some stretch of time. Immutable.
 *
 * @param dropped requests for which nothing was sent
 * @param secured requests to endpoints that were reached by mesh TLS
 * @param inProgress attempts under way at its end
 */
public record Load(long successes, long errors, long dropped, long secured, long inProgress, long[] latencies) {

    public static final Load NONE = new Load(0, 0, 0, 0, 0, new long[Latencies.BUCKETS]);

    public Load {
        latencies = latencies.clone();
    }

    @Override
    public long[] latencies() {
        return latencies.clone();
    }

    static Load of(long successes, long errors, long inProgress, boolean secured) {
        return new Load(successes, errors, 0, secured ? successes + errors : 0, inProgress, NONE.latencies);
    }

    static Load dropped(long requests) {
        return new Load(0, 0, requests, 0, 0, NONE.latencies);
    }

    /** How long some requests took that are counted elsewhere. */
    static Load took(double millis, long requests) {
        long[] latencies = new long[Latencies.BUCKETS];
        latencies[Latencies.bucket(millis)] = requests;
        return new Load(0, 0, 0, 0, 0, latencies);
    }

    /** Sent and answered, or failed. */
    public long requests() {
        return successes + errors;
    }

    /** From 0 to 1, requests for which nothing was sent included; NaN without requests. */
    public double errorRate() {
        return requests() + dropped == 0 ? Double.NaN : (double) (errors + dropped) / (requests() + dropped);
    }

    /** Milliseconds; NaN when nothing is known. */
    public double quantile(double quantile) {
        return Latencies.quantile(latencies, quantile);
    }

    /** Of two stretches after each other, or of two senders: in progress is added up, too. */
    public Load plus(Load other) {
        long[] sum = latencies.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += other.latencies[i];
        }
        return new Load(
                successes + other.successes,
                errors + other.errors,
                dropped + other.dropped,
                secured + other.secured,
                inProgress + other.inProgress,
                sum);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Load load
                && successes == load.successes
                && errors == load.errors
                && dropped == load.dropped
                && secured == load.secured
                && inProgress == load.inProgress
                && Arrays.equals(latencies, load.latencies);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(successes * 31 + errors);
    }
}
