package io.weft.dataplane;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What differs on the wire from what the app asked for. Computed once per route where it does not depend on the request.
 *
 * @param path null: unchanged; else path and query
 * @param authority null: unchanged
 * @param set headers to set, replacing what is there; names in lower case
 * @param add headers to add beside what is there
 * @param remove names in lower case; applied first
 */
public record RequestChanges(
        String path,
        String authority,
        List<Map.Entry<String, String>> set,
        List<Map.Entry<String, String>> add,
        List<String> remove) {
    /** How many attempts it took, the one that it goes with included; on responses, too. */
    public static final String ATTEMPT_COUNT = "x-envoy-attempt-count";

    public static final RequestChanges NONE = new RequestChanges(null, null, List.of(), List.of(), List.of());

    /** With one more header to set, in place of what these changes say of it. */
    public RequestChanges andSet(String name, String value) {
        if (set.isEmpty() && add.isEmpty()) {
            return new RequestChanges(path, authority, List.of(Map.entry(name, value)), add, remove);
        }
        List<Map.Entry<String, String>> setToo = without(name, set);
        setToo.add(Map.entry(name, value));
        return new RequestChanges(path, authority, setToo, without(name, add), remove);
    }

    /** With this authority, whatever these changes say of it. */
    public RequestChanges andAuthority(String host) {
        return new RequestChanges(path, host, set, add, remove);
    }

    private static List<Map.Entry<String, String>> without(String name, List<Map.Entry<String, String>> headers) {
        List<Map.Entry<String, String>> others = new ArrayList<>(headers);
        others.removeIf(header -> header.getKey().equals(name));
        return others;
    }
}
