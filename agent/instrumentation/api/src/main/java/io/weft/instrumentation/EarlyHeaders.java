package io.weft.instrumentation;

import java.util.List;

/**
 * The headers of a request that one library knows while the one below it has yet to ask for them, when it already has a connection. Handed
 * down under {@link #KEY} in what both can see, with Reactor the subscriber's context; where there is none, by {@link NextHeaders}.
 */
@FunctionalInterface
public interface EarlyHeaders {
    String KEY = "io.weft.early-headers";

    /**
     * @param name lower case
     * @return empty when absent
     */
    List<String> values(String name);
}
