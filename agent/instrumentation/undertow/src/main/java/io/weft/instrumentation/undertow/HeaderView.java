package io.weft.instrumentation.undertow;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;

/** Undertow's headers, to be read and changed. */
record HeaderView(HeaderMap headers) implements EditableHeaders, ResponseHeaders {

    /** @return null when absent */
    static String joined(HeaderMap headers, String name) {
        HeaderValues values = headers.get(name);
        if (values == null || values.isEmpty()) {
            return null;
        }
        return values.size() == 1 ? values.getFirst() : String.join(",", values);
    }

    @Override
    public String header(String name) {
        return joined(headers, name);
    }

    @Override
    public boolean contains(String name) {
        return headers.contains(name);
    }

    @Override
    public void add(String name, String value) {
        headers.add(HttpString.tryFromString(name), value);
    }

    @Override
    public void set(String name, String value) {
        headers.put(HttpString.tryFromString(name), value);
    }

    @Override
    public void remove(String name) {
        headers.remove(name);
    }
}
