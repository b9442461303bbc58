package io.weft.instrumentation.apachehttpclient4;

import io.weft.instrumentation.EditableHeaders;
import java.util.ArrayList;
import java.util.List;
import org.apache.http.Header;
import org.apache.http.HttpMessage;

/** The headers of a request or response. */
record MessageHeaders(HttpMessage message) implements EditableHeaders {

    /** Empty when absent. */
    static List<String> values(HttpMessage message, String name) {
        List<String> values = new ArrayList<>();
        for (Header header : message.getHeaders(name)) {
            values.add(header.getValue());
        }
        return values;
    }

    /** Null when absent. */
    static String joined(HttpMessage message, String name) {
        Header[] headers = message.getHeaders(name);
        if (headers.length == 0) {
            return null;
        }
        if (headers.length == 1) {
            return headers[0].getValue();
        }
        StringBuilder values = new StringBuilder(headers[0].getValue());
        for (int i = 1; i < headers.length; i++) {
            values.append(',').append(headers[i].getValue());
        }
        return values.toString();
    }

    @Override
    public boolean contains(String name) {
        return message.containsHeader(name);
    }

    @Override
    public void add(String name, String value) {
        message.addHeader(name, value);
    }

    @Override
    public void set(String name, String value) {
        message.removeHeaders(name);
        message.addHeader(name, value);
    }

    @Override
    public void remove(String name) {
        message.removeHeaders(name);
    }
}
