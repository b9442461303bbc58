package io.weft.policy.model;

import java.util.List;

/**
 * Headers that a route, virtual host or route configuration adds to and removes from requests and responses.
 * Names are lower case; removal comes before addition.
 */
public record HeaderChanges(
        List<Addition> requestAdd, List<String> requestRemove, List<Addition> responseAdd, List<String> responseRemove) {

    public static final HeaderChanges NONE = new HeaderChanges(List.of(), List.of(), List.of(), List.of());

    public HeaderChanges {
        requestAdd = List.copyOf(requestAdd);
        requestRemove = List.copyOf(requestRemove);
        responseAdd = List.copyOf(responseAdd);
        responseRemove = List.copyOf(responseRemove);
    }

    public boolean isEmpty() {
        return requestAdd.isEmpty() && requestRemove.isEmpty() && responseAdd.isEmpty() && responseRemove.isEmpty();
    }

    /**
     * {@code envoy.config.core.v3.HeaderValueOption}.
     *
     * @param keepEmpty whether it is added when the value turns out to be empty
     */
    public record Addition(String name, Format value, Action action, boolean keepEmpty) {}

    /** {@code HeaderValueOption.HeaderAppendAction}. */
    public enum Action { APPEND_IF_EXISTS_OR_ADD, ADD_IF_ABSENT, OVERWRITE_IF_EXISTS_OR_ADD, OVERWRITE_IF_EXISTS }
}
