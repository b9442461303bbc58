package io.weft.admin;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What follows the question mark of a request's path. */
public record AdminQuery(Map<String, List<String>> parameters) {

    /** The first one of that name. */
    public Optional<String> first(String name) {
        return all(name).stream().findFirst();
    }

    /** In their order. */
    public List<String> all(String name) {
        return parameters.getOrDefault(name, List.of());
    }
}
