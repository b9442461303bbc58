package io.weft.policy.model;

/**
 * What the HTTP connection manager makes of a request's path before anything looks at it.
 *
 * @param normalize dot segments are resolved, backslashes become slashes, unreserved characters are unescaped
 *     ({@code normalize_path}, RFC 3986); a path with a NUL is refused
 * @param mergeSlashes ({@code merge_slashes})
 */
public record PathNormalization(boolean normalize, boolean mergeSlashes, EscapedSlashes escapedSlashes) {
    public static final PathNormalization NONE = new PathNormalization(false, false, EscapedSlashes.KEEP);

    /** {@code path_with_escaped_slashes_action}: what is done about {@code %2F} and {@code %5C}. */
    public enum EscapedSlashes {
        KEEP, REJECT,
        /** The client is told to come back with the slashes unescaped; a gRPC request is rejected. */
        UNESCAPE_AND_REDIRECT,
        UNESCAPE_AND_FORWARD
    }
}
