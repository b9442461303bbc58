package io.weft.dataplane.route;

import java.util.List;

/**
 * When the requests of a route are sent more than once, made ready. Immutable.
 *
 * @param retry null: nothing is tried again
 * @param hedged an attempt that takes too long gets another one beside it
 * @param mirrors where copies may go
 * @param bufferLimit bytes that a body may have to be sent again; -1: the policy says nothing
 */
public record ResendRule(RetryRule retry, boolean hedged, List<Mirror> mirrors, long bufferLimit) {
    /** Envoy's, where the policy says nothing. */
    public static final int DEFAULT_MIRROR_LIMIT = 1 << 20;

    public static final ResendRule NONE = new ResendRule(null, false, List.of(), -1);

    public ResendRule {
        mirrors = List.copyOf(mirrors);
    }

    /** Bytes that a body may have to be copied to a mirror. */
    public int mirrorLimit() {
        return bufferLimit < 0 ? DEFAULT_MIRROR_LIMIT : (int) Math.min(Integer.MAX_VALUE - 8, bufferLimit);
    }

    /** @param bodyLength -1: not known */
    public boolean mayBeSentAgain(long bodyLength) {
        return bufferLimit < 0 || bodyLength >= 0 && bodyLength <= bufferLimit;
    }
}
