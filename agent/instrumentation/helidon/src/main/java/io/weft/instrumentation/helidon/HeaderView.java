package io.weft.instrumentation.helidon;

import io.helidon.http.HeaderValues;
import io.helidon.http.WritableHeaders;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;

/** Helidon's headers, to be read and changed. */
record HeaderView(WritableHeaders<?> headers) implements EditableHeaders, ResponseHeaders {
    @Override
    public String header(String name) {
        return RequestHeaders.joined(headers, name);
    }

    @Override
    public boolean contains(String name) {
        return headers.contains(RequestHeaders.name(name));
    }

    @Override
    public void add(String name, String value) {
        headers.add(HeaderValues.create(RequestHeaders.name(name), value));
    }

    @Override
    public void set(String name, String value) {
        headers.set(HeaderValues.create(RequestHeaders.name(name), value));
    }

    @Override
    public void remove(String name) {
        headers.remove(RequestHeaders.name(name));
    }
}
