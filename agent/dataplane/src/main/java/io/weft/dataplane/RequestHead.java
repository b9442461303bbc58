package io.weft.dataplane;

import java.util.List;

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

    /**
     * A header, or what Envoy keeps as one: {@code :method}, {@code :scheme}, {@code :path} and {@code :authority}, which is
     * {@code host}, too.
     *
     * @param name lower case
     * @return null when absent
     */
    default String value(String name) {
        if (!name.startsWith(":") && !name.equals("host")) {
            return header(name);
        }
        return switch (name) {
            case ":method" -> method();
            case ":path" -> path();
            case ":authority", "host" -> authority();
            case ":scheme" -> scheme();
            default -> null;
        };
    }

    /**
     * As {@link #value}, but the first one where there are several.
     *
     * @return null when absent
     */
    default String firstValue(String name) {
        if (name.startsWith(":") || name.equals("host")) {
            return value(name);
        }
        List<String> values = values(name);
        return values.isEmpty() ? null : values.get(0);
    }

    /** As its content type says. */
    default boolean isGrpc() {
        String type = header("content-type");
        return type != null && type.startsWith("application/grpc") && (type.length() == 16 || type.charAt(16) == '+');
    }
}
