package io.weft.dataplane.route;

import java.util.List;

/**
 * When the requests of a route are sent more than once, made ready. Immutable.
 *
 * @param retry null: nothing is tried again
 * @param copies null: none are under way at once
 * @param bufferLimit bytes that a body may have to be sent again; -1: the policy says nothing
 */
public record ResendRule(RetryRule retry, Copies copies, long bufferLimit) {
    /** Envoy's, where the policy says nothing. */
    public static final int DEFAULT_COPY_LIMIT = 1 << 20;

    public static final ResendRule NONE = new ResendRule(null, null, -1);

    /**
     * What a request has under way besides itself.
     *
     * @param hedged an attempt that takes too long gets another one beside it
     * @param mirrors where copies may go
     */
    public record Copies(boolean hedged, List<Mirror> mirrors) {
        public Copies {
            mirrors = List.copyOf(mirrors);
        }

        /** @return null when there are none */
        static Copies of(boolean hedged, List<Mirror> mirrors) {
            return hedged || !mirrors.isEmpty() ? new Copies(hedged, mirrors) : null;
        }
    }

    /** Bytes that a body may have to be copied, for a mirror or for another attempt. */
    public int copyLimit() {
        return bufferLimit < 0 ? DEFAULT_COPY_LIMIT : (int) Math.min(Integer.MAX_VALUE - 8, bufferLimit);
    }

    /** @param bodyLength -1: not known */
    public boolean mayBeSentAgain(long bodyLength) {
        return bufferLimit < 0 || bodyLength >= 0 && bodyLength <= bufferLimit;
    }
}
