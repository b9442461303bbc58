package io.weft.dataplane;

import java.util.function.Consumer;

/**
 * Lets requests ask how they were decided, and tells it of some that do not ask. An answer names services, addresses and rules, so it is the
 * operator's to permit.
 *
 * @param answers whether a request that asks gets an answer
 * @param share of the requests that are told of in the log, from 0 to 1
 * @param log on the requests' own threads, which it must not block
 */
record Debugging(boolean answers, double share, Consumer<String> log) {
    /** In lower case, on a request and on its response. */
    static final String HEADER = "x-weft-debug";

    private static final int BITS = 24;

    boolean answers(RequestHead request) {
        return answers && request.header(HEADER) != null;
    }

    boolean samples() {
        return share > 0;
    }

    /** @param random bits of the request's own, of which other choices look at the lowest and the highest */
    boolean samples(long random) {
        return share > 0 && (random >>> 8 & (1 << BITS) - 1) < share * (1 << BITS);
    }
}
