package io.weft.policy.model;

/**
 * {@code envoy.config.route.v3.HeaderMatcher}.
 *
 * @param name lower case; may be a pseudo header such as {@code :method}
 * @param invert the result is negated, but a missing header fails a value or a range all the same, as in Envoy
 * @param treatMissingAsEmpty a missing header is compared as the empty string
 */
public record HeaderMatch(String name, Test test, boolean invert, boolean treatMissingAsEmpty) {

    public sealed interface Test {}

    /** The header is there (or, with false, is not). */
    public record Present(boolean present) implements Test {}

    public record Value(StringMatch match) implements Test {}

    /** A base-10 integer of the half-open range. */
    public record Range(long start, long end) implements Test {}
}
