package io.weft.instrumentation.vertx;

import io.vertx.core.MultiMap;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.List;

/** The headers of a request or response. */
record VertxHeaders(MultiMap headers) implements EditableHeaders {

    static ResponseHeaders view(MultiMap headers) {
        return name -> joined(headers, name);
    }

    static String joined(MultiMap headers, String name) {
        // Mostly there is none, and then no list is made.
        String first = headers.get(name);
        if (first == null) {
            return null;
        }
        List<String> values = headers.getAll(name);
        return values.size() == 1 ? first : String.join(",", values);
    }

    @Override
    public boolean contains(String name) {
        return headers.contains(name);
    }

    @Override
    public void add(String name, String value) {
        headers.add(name, value);
    }

    @Override
    public void set(String name, String value) {
        headers.set(name, value);
    }

    @Override
    public void remove(String name) {
        headers.remove(name);
    }
}
