package io.weft.policy.model;

/** {@code envoy.type.matcher.v3.StringMatcher}. */
public sealed interface StringMatch {

    record Exact(String value, boolean ignoreCase) implements StringMatch {}

    record Prefix(String value, boolean ignoreCase) implements StringMatch {}

    record Suffix(String value, boolean ignoreCase) implements StringMatch {}

    record Contains(String value, boolean ignoreCase) implements StringMatch {}

    /** RE2 syntax, the whole value must match; known to compile. */
    record Regex(String regex) implements StringMatch {}
}
