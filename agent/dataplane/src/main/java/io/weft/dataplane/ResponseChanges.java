package io.weft.dataplane;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What differs in the response that the app is given from what came. Computed once per route where it does not depend on the
 * response.
 *
 * @param set headers to set, replacing what is there; names in lower case
 * @param add headers to add beside what is there
 * @param remove names in lower case; applied first
 */
public record ResponseChanges(
        List<Map.Entry<String, String>> set, List<Map.Entry<String, String>> add, List<String> remove) {
    public static final ResponseChanges NONE = new ResponseChanges(List.of(), List.of(), List.of());

    /** With one more header to set, in place of what these changes say of it. */
    ResponseChanges andSet(String name, String value) {
        List<Map.Entry<String, String>> setToo = without(name, set);
        setToo.add(Map.entry(name, value));
        return new ResponseChanges(setToo, without(name, add), remove);
    }

    /** With one more header beside those of its name. */
    ResponseChanges andAdd(String name, String value) {
        List<Map.Entry<String, String>> addToo = new ArrayList<>(add);
        addToo.add(Map.entry(name, value));
        return new ResponseChanges(set, addToo, remove);
    }

    /** With one header that is not there, whatever these changes say of it. */
    ResponseChanges andRemove(String name) {
        List<String> removeToo = new ArrayList<>(remove);
        removeToo.add(name);
        return new ResponseChanges(without(name, set), without(name, add), removeToo);
    }

    private static List<Map.Entry<String, String>> without(String name, List<Map.Entry<String, String>> headers) {
        List<Map.Entry<String, String>> others = new ArrayList<>(headers);
        others.removeIf(header -> header.getKey().equals(name));
        return others;
    }

    public boolean isEmpty() {
        return set.isEmpty() && add.isEmpty() && remove.isEmpty();
    }
}
