package io.weft.dataplane;

/** The headers of a message, read-only. */
@FunctionalInterface
public interface Headers {
    /**
     * @param name lower case
     * @return null when absent; several values joined by a comma
     */
    String header(String name);
}
