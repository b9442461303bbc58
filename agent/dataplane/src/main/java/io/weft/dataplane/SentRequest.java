package io.weft.dataplane;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A request as it went out, with the route's changes. Its original path and host are under the names that Envoy keeps them
 * under, though these do not go out.
 */
record SentRequest(RequestHead original, RequestChanges changes) implements RequestHead {

    static RequestHead of(RequestHead original, RequestChanges changes) {
        return changes == RequestChanges.NONE ? original : new SentRequest(original, changes);
    }

    @Override
    public String method() {
        return original.method();
    }

    @Override
    public String scheme() {
        return original.scheme();
    }

    @Override
    public String authority() {
        return changes.authority() == null ? original.authority() : changes.authority();
    }

    @Override
    public String path() {
        return changes.path() == null ? original.path() : changes.path();
    }

    @Override
    public String header(String name) {
        if (changes.path() != null && name.equals("x-envoy-original-path")) {
            return original.path();
        }
        if (changes.authority() != null && name.equals("x-envoy-original-host")) {
            return original.authority();
        }
        List<String> values = values(name);
        return values.isEmpty() ? null : String.join(",", values);
    }

    @Override
    public List<String> values(String name) {
        boolean replaced = changes.remove().contains(name);
        List<String> values = new ArrayList<>();
        for (Map.Entry<String, String> header : changes.set()) {
            if (header.getKey().equals(name)) {
                replaced = true;
                values.add(header.getValue());
            }
        }
        if (!replaced) {
            values.addAll(original.values(name));
        }
        for (Map.Entry<String, String> header : changes.add()) {
            if (header.getKey().equals(name)) {
                values.add(header.getValue());
            }
        }
        return values;
    }
}
