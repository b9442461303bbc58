package io.weft.instrumentation.helidon;

import io.helidon.http.HeaderValues;
import io.helidon.http.WritableHeaders;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;

/**
 * Helidon's headers, to be read and changed.
 *
 * @param oneValue there is one of each name: Helidon before 4.5 sends over HTTP/2 the first alone
 */
record HeaderView(WritableHeaders<?> headers, boolean oneValue) implements EditableHeaders, ResponseHeaders {
    HeaderView(WritableHeaders<?> headers) {
        this(headers, false);
    }

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
        if (oneValue && contains(name) && !name.equalsIgnoreCase("set-cookie")) {
            set(name, String.join(", ", RequestHeaders.values(headers, name)) + ", " + value);
            return;
        }
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
