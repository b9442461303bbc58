package io.weft.controlplane.load;

import java.util.Arrays;

/**
 * What happened in some stretch of time, as callers say it. Immutable.
 *
 * @param successes responses below 500
 * @param dropped requests for which nothing was sent
 * @param secured requests to endpoints that were reached by mesh TLS
 * @param inProgress attempts under way at its end
 * @param failedCalls of the successes those that turned out to be errors by their gRPC status
 * @param clientErrors of the successes those with a 4xx that is no refusal
 * @param refused of the successes those with 401, 403 or 429, or what gRPC has for them
 */
public record Load(
        long successes,
        long errors,
        long dropped,
        long secured,
        long inProgress,
        long failedCalls,
        long clientErrors,
        long refused,
        long[] latencies) {

    public static final Load NONE = new Load(0, 0, 0, 0, 0, 0, 0, 0, new long[Latencies.BUCKETS]);

    private static final int COUNTS = 8;
    /** How many figures it is. */
    static final int FIGURES = COUNTS + Latencies.BUCKETS;

    public Load {
        latencies = latencies.clone();
    }

    @Override
    public long[] latencies() {
        return latencies.clone();
    }

    static Load of(long successes, long errors, long inProgress, boolean secured) {
        return new Load(successes, errors, 0, secured ? successes + errors : 0, inProgress, 0, 0, 0, NONE.latencies);
    }

    static Load dropped(long requests) {
        return new Load(0, 0, requests, 0, 0, 0, 0, 0, NONE.latencies);
    }

    /** What some responses were that are counted elsewhere. */
    static Load answered(long failedCalls, long clientErrors, long refused) {
        return new Load(0, 0, 0, 0, 0, failedCalls, clientErrors, refused, NONE.latencies);
    }

    /** How long some requests took that are counted elsewhere. */
    static Load took(double millis, long requests) {
        long[] latencies = new long[Latencies.BUCKETS];
        latencies[Latencies.bucket(millis)] = requests;
        return new Load(0, 0, 0, 0, 0, 0, 0, 0, latencies);
    }

    /** The reverse of {@link #figures}. */
    static Load of(long[] figures) {
        return new Load(
                figures[0], figures[1], figures[2], figures[3], figures[4], figures[5], figures[6], figures[7],
                Arrays.copyOfRange(figures, COUNTS, FIGURES));
    }

    long[] figures() {
        long[] figures = new long[FIGURES];
        figures[0] = successes;
        figures[1] = errors;
        figures[2] = dropped;
        figures[3] = secured;
        figures[4] = inProgress;
        figures[5] = failedCalls;
        figures[6] = clientErrors;
        figures[7] = refused;
        System.arraycopy(latencies, 0, figures, COUNTS, latencies.length);
        return figures;
    }

    /** Sent and answered, or failed. */
    public long requests() {
        return successes + errors;
    }

    /** Those for which nothing was sent included. */
    private long all() {
        return requests() + dropped;
    }

    /** Errors, calls that failed late and requests for which nothing was sent. */
    public long failures() {
        // What is told when a request is over may be told a report later than its head.
        return errors + Math.min(failedCalls, successes) + dropped;
    }

    /** Those that somebody would not serve, and that are no failures. */
    public long refusals() {
        return Math.min(refused, all() - failures());
    }

    /** From 0 to 1; NaN without requests. */
    public double errorRate() {
        return all() == 0 ? Double.NaN : (double) failures() / all();
    }

    /** From 0 to 1; NaN without requests. */
    public double refusedRate() {
        return all() == 0 ? Double.NaN : (double) refusals() / all();
    }

    /** From 0 to 1: what has neither failed nor been refused; NaN without requests. */
    public double successRate() {
        return 1 - errorRate() - refusedRate();
    }

    /** From 0 to 1; NaN without requests. */
    public double clientErrorRate() {
        return all() == 0 ? Double.NaN : (double) Math.min(clientErrors, successes) / all();
    }

    /** Milliseconds; NaN when nothing is known. */
    public double quantile(double quantile) {
        return Latencies.quantile(latencies, quantile);
    }

    /** Of two stretches after each other, or of two senders: in progress is added up, too. */
    public Load plus(Load other) {
        long[] sum = figures();
        long[] more = other.figures();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += more[i];
        }
        return of(sum);
    }

    Load withInProgress(long attempts) {
        return new Load(successes, errors, dropped, secured, attempts, failedCalls, clientErrors, refused, latencies);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Load load && Arrays.equals(figures(), load.figures());
    }

    @Override
    public int hashCode() {
        return Long.hashCode(successes * 31 + errors);
    }
}
