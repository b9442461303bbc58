package io.weft.dataplane;

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
    public static final RequestChanges NONE = new RequestChanges(null, null, List.of(), List.of(), List.of());
}
