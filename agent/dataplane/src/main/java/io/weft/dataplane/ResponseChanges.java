package io.weft.dataplane;

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

    public boolean isEmpty() {
        return set.isEmpty() && add.isEmpty() && remove.isEmpty();
    }
}
