package io.weft.dataplane;

/**
 * What matchers, hash policies and formatters see of a request, whichever way it goes. Read-only; names of headers in lower case,
 * without the pseudo headers that the other methods stand for.
 */
public interface RequestHead extends Headers {
    /** In upper case. */
    String method();

    /** {@code http} or {@code https}. */
    String scheme();

    /** {@code host[:port]} as the sender means it: the Host header, or else the URL's authority without user info. */
    String authority();

    /** Path and query, beginning with a slash. */
    String path();
}
