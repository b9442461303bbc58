package io.weft.dataplane;

/** A library's response headers, read-only. */
@FunctionalInterface
public interface ResponseHeaders {
    /** @param name lower case; null when absent, several values joined by a comma */
    String header(String name);
}
