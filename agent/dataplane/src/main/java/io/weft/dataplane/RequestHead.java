package io.weft.dataplane;

/** The head of a request, going out or coming in, read-only: what matchers, hash policies and formats look at. */
public interface RequestHead {
    /** In upper case. */
    String method();

    /** {@code http} or {@code https}. */
    String scheme();

    /** {@code host[:port]} as the sender means it: the Host header, or else the URL's authority without user info. */
    String authority();

    /** Path and query, beginning with a slash. */
    String path();

    /**
     * A header as the sender set it.
     *
     * @param name lower case
     * @return null when absent; several values joined by a comma
     */
    String header(String name);
}
