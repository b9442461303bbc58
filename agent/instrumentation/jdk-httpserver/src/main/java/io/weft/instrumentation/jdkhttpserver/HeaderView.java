package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Headers;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.List;

/** The server's headers, to be read and changed. */
record HeaderView(Headers headers) implements EditableHeaders, ResponseHeaders {

    /** @return null when absent */
    static String joined(Headers headers, String name) {
        // The server looks for a copy of the name. Mostly there is no such header, and then none is made.
        for (String key : headers.keySet()) {
            if (key.equalsIgnoreCase(name)) {
                return joined(headers.get(key));
            }
        }
        return null;
    }

    private static String joined(List<String> values) {
        if (values == null || values.isEmpty()) {
            return null;
        }
        return values.size() == 1 ? values.get(0) : String.join(",", values);
    }

    @Override
    public String header(String name) {
        return joined(headers, name);
    }

    @Override
    public boolean contains(String name) {
        return headers.containsKey(name);
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
