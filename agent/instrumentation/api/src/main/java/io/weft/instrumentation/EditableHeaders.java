package io.weft.instrumentation;

import io.weft.dataplane.RequestChanges;
import io.weft.policy.model.HeaderChanges;
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
        changes.remove().forEach(this::remove);
        for (Map.Entry<String, String> header : changes.set()) {
            set(header.getKey(), header.getValue());
        }
        for (Map.Entry<String, String> header : changes.add()) {
            add(header.getKey(), header.getValue());
        }
    }

    /** What the changes say of responses, the first element first. */
    default void changeResponse(HeaderChanges[] all) {
        for (HeaderChanges changes : all) {
            changes.responseRemove().forEach(this::remove);
            for (HeaderChanges.Addition addition : changes.responseAdd()) {
                apply(addition);
            }
        }
    }

    private void apply(HeaderChanges.Addition addition) {
        String name = addition.name();
        switch (addition.action()) {
            case APPEND_IF_EXISTS_OR_ADD -> add(name, addition.value());
            case OVERWRITE_IF_EXISTS_OR_ADD -> set(name, addition.value());
            case ADD_IF_ABSENT -> {
                if (!contains(name)) {
                    add(name, addition.value());
                }
            }
            case OVERWRITE_IF_EXISTS -> {
                if (contains(name)) {
                    set(name, addition.value());
                }
            }
        }
    }
}
