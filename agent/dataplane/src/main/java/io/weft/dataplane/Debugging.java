package io.weft.dataplane;

import java.util.function.Consumer;

/**
 * Whether requests may ask how they were decided. An answer names services, addresses and rules, so it is the operator's to permit.
 * Thread-safe.
 */
final class Debugging {
    /** In lower case, on a request and on its response. */
    static final String HEADER = "x-weft-debug";

    /** Null: not permitted. */
    private volatile Consumer<String> log;

    void permit(Consumer<String> log) {
        this.log = log;
    }

    boolean isAskedFor(RequestHead request) {
        return log != null && request.header(HEADER) != null;
    }

    void log(String decision) {
        Consumer<String> known = log;
        if (known != null) {
            known.accept(decision);
        }
    }
}
