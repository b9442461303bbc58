package io.weft.controlplane.load;

/**
 * Requests that data planes say they have refused in the app's place, in some stretch of time.
 *
 * @param permission nobody has permitted them, or their token is none
 * @param rateLimit there were too many
 * @param fault a fault was to be injected
 */
public record Refusals(long permission, long rateLimit, long fault) {

    public static final Refusals NONE = new Refusals(0, 0, 0);

    /** How many figures it is. */
    static final int FIGURES = 3;

    /** The reverse of {@link #figures}. */
    static Refusals of(long[] figures) {
        return new Refusals(figures[0], figures[1], figures[2]);
    }

    long[] figures() {
        return new long[] {permission, rateLimit, fault};
    }

    public Refusals plus(Refusals other) {
        return new Refusals(permission + other.permission, rateLimit + other.rateLimit, fault + other.fault);
    }

    /** Those that callers see as refused, and not as failed. */
    public long refused() {
        return permission + rateLimit;
    }
}
