package io.weft.instrumentation.netty;

import io.netty.handler.codec.http.HttpHeaders;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.List;
import java.util.Map;

/** The headers of a message of HTTP/1, to be read and changed. */
record MessageHeaders(HttpHeaders headers) implements EditableHeaders, ResponseHeaders {
    @Override
    public String header(String name) {
        return header(headers, name);
    }

    @Override
    public List<String> values(String name) {
        return headers.getAll(name);
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

    /** @return null when absent */
    static String header(HttpHeaders headers, String name) {
        String value = headers.get(name);
        if (value == null) {
            return null;
        }
        List<String> values = headers.getAll(name);
        return values.size() == 1 ? value : String.join(",", values);
    }

    static long bytes(HttpHeaders headers) {
        long bytes = 0;
        for (Map.Entry<String, String> header : headers) {
            bytes += header.getKey().length() + header.getValue().length();
        }
        return bytes;
    }
}
