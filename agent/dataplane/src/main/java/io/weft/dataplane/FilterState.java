package io.weft.dataplane;

import java.util.HashMap;
import java.util.Map;

/** What filters have put down of a request for those that come after them; Envoy's name for it. For the thread that handles the request. */
public final class FilterState {
    private final Map<String, StateObject> objects = new HashMap<>(4);

    /** @param hashable hash policies may go by it */
    public record StateObject(String value, boolean hashable) {}

    void put(String key, StateObject object) {
        objects.put(key, object);
    }

    /** @return null: there is none */
    public StateObject get(String key) {
        return objects.get(key);
    }
}
