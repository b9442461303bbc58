package io.weft.dataplane;

import java.util.List;

/** The headers of a message, read-only. */
@FunctionalInterface
public interface Headers {
    /**
     * @param name lower case
     * @return null when absent; several values joined by a comma
     */
    String header(String name);

    /**
     * The values of a header one by one, in their order: what came as one has one, whatever commas are in it.
     *
     * @param name lower case
     */
    default List<String> values(String name) {
        String value = header(name);
        return value == null ? List.of() : List.of(value);
    }
}
