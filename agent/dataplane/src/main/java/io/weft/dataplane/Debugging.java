package io.weft.dataplane;

import java.util.function.Consumer;

/**
 * Lets requests ask how they were decided. An answer names services, addresses and rules, so it is the operator's to permit.
 * Thread-safe.
 */
final class Debugging {
    /** In lower case, on a request and on its response. */
    static final String HEADER = "x-weft-debug";

    private final Consumer<String> log;

    Debugging(Consumer<String> log) {
        this.log = log;
    }

    static boolean isAskedFor(RequestHead request) {
        return request.header(HEADER) != null;
    }

    void log(String decision) {
        log.accept(decision);
    }
}
