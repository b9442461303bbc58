package io.weft.instrumentation.okhttp;

import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.EditableHeaders;
import java.util.List;
import okhttp3.Headers;

/** Headers of a request or response in the making. */
record HeaderEdits(Headers.Builder headers) implements EditableHeaders {

    static Headers changed(Headers headers, ResponseChanges changes) {
        if (changes.equals(ResponseChanges.NONE)) {
            return headers;
        }
        Headers.Builder edited = headers.newBuilder();
        new HeaderEdits(edited).changeResponse(changes);
        return edited.build();
    }

    /** Null when absent. */
    static String joined(Headers headers, String name) {
        List<String> values = headers.values(name);
        return switch (values.size()) {
            case 0 -> null;
            case 1 -> values.get(0);
            default -> String.join(",", values);
        };
    }

    @Override
    public boolean contains(String name) {
        return headers.get(name) != null;
    }

    @Override
    public void add(String name, String value) {
        headers.addUnsafeNonAscii(name, value);
    }

    @Override
    public void set(String name, String value) {
        headers.removeAll(name);
        headers.addUnsafeNonAscii(name, value);
    }

    @Override
    public void remove(String name) {
        headers.removeAll(name);
    }
}
