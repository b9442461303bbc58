package io.weft.instrumentation.jetty;

import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.List;

/** Jetty's headers, to be read and changed. */
record HeadersBefore12(MessagesBefore12 messages, Object fields) implements EditableHeaders, ResponseHeaders {

    @Override
    public String header(String name) {
        List<String> values = messages.values(fields, name);
        return values.isEmpty() ? null : String.join(",", values);
    }

    @Override
    public boolean contains(String name) {
        return header(name) != null;
    }

    @Override
    public void add(String name, String value) {
        messages.add(fields, name, value);
    }

    @Override
    public void set(String name, String value) {
        messages.set(fields, name, value);
    }

    @Override
    public void remove(String name) {
        messages.remove(fields, name);
    }
}
