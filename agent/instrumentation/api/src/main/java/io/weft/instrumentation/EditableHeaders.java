package io.weft.instrumentation;

import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.ResponseChanges;
import java.util.List;
import java.util.Map;

/** A library's headers as the mesh changes them, the same way in every library. Names are matched regardless of case. */
public interface EditableHeaders {

    boolean contains(String name);

    /** Beside those of the same name. */
    void add(String name, String value);

    /** In place of those of the same name. */
    void set(String name, String value);

    /** All of that name; none is fine. */
    void remove(String name);

    /** Path and authority are no headers: they are left to the caller. */
    default void change(RequestChanges changes) {
        change(changes.remove(), changes.set(), changes.add());
    }

    default void changeResponse(ResponseChanges changes) {
        // Mostly there are none, and each response comes by here.
        if (!changes.isEmpty()) {
            change(changes.remove(), changes.set(), changes.add());
        }
    }

    private void change(
            List<String> remove, List<Map.Entry<String, String>> set, List<Map.Entry<String, String>> add) {
        remove.forEach(this::remove);
        for (Map.Entry<String, String> header : set) {
            set(header.getKey(), header.getValue());
        }
        for (Map.Entry<String, String> header : add) {
            add(header.getKey(), header.getValue());
        }
    }
}
