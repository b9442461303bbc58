package io.weft.instrumentation.micronauthttpclient;

import io.netty.handler.codec.http.HttpHeaders;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.List;

/** The headers of a request or response. */
record NettyHeaders(HttpHeaders headers) implements EditableHeaders {

    static ResponseHeaders view(HttpHeaders headers) {
        return name -> joined(headers, name);
    }

    /** Null when absent. */
    static String joined(HttpHeaders headers, String name) {
        List<String> values = headers.getAll(name);
        return switch (values.size()) {
            case 0 -> null;
            case 1 -> values.get(0);
            default -> String.join(",", values);
        };
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
