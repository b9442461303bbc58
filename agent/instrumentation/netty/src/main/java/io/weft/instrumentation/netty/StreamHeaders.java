package io.weft.instrumentation.netty;

import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The headers of a stream of HTTP/2, to be read and changed. Libraries have implementations of their own that can do little more than the
 * library needs: gRPC's take no other names and values than {@link AsciiString}.
 */
record StreamHeaders(Http2Headers headers) implements EditableHeaders {
    @Override
    public boolean contains(String name) {
        return headers.get(AsciiString.of(name)) != null;
    }

    @Override
    public void add(String name, String value) {
        headers.add(AsciiString.of(name), AsciiString.of(value));
    }

    @Override
    public void set(String name, String value) {
        remove(name);
        add(name, value);
    }

    @Override
    public void remove(String name) {
        headers.remove(AsciiString.of(name));
    }

    /** @return null when absent */
    String header(String name) {
        CharSequence value = headers.get(AsciiString.of(name));
        if (value == null) {
            return null;
        }
        List<String> values = values(name);
        return values.size() == 1 ? value.toString() : String.join(",", values);
    }

    List<String> values(String name) {
        List<String> values = new ArrayList<>(1);
        for (CharSequence value : headers.getAll(AsciiString.of(name))) {
            if (value != null) {
                values.add(value.toString());
            }
        }
        return values;
    }

    static String text(CharSequence value) {
        return value == null ? "" : value.toString();
    }

    /** Of a response: in some libraries these can be gone through, and nothing else. */
    record Response(Http2Headers headers) implements ResponseHeaders {
        @Override
        public String header(String name) {
            String joined = null;
            for (Map.Entry<CharSequence, CharSequence> header : headers) {
                if (AsciiString.contentEquals(header.getKey(), name)) {
                    joined = joined == null ? header.getValue().toString() : joined + ',' + header.getValue();
                }
            }
            return joined;
        }

        /** 0: it has none. */
        int status() {
            String status = header(":status");
            return status == null ? 0 : Integer.parseInt(status);
        }
    }
}
