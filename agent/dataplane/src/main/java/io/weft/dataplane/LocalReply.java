package io.weft.dataplane;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * A response that the mesh gives without asking anyone: a redirect, a direct response, no healthy endpoint. Complete: the
 * route's response header changes are in it, and the body's length and type.
 *
 * @param headers names in lower case, in order
 */
public record LocalReply(int status, List<Map.Entry<String, String>> headers, byte[] body) implements Headers {
    @Override
    public String header(String name) {
        String joined = null;
        for (Map.Entry<String, String> header : headers) {
            if (header.getKey().equals(name)) {
                joined = joined == null ? header.getValue() : joined + ',' + header.getValue();
            }
        }
        return joined;
    }

    /** Plain text with the headers that Envoy gives it; without text just the status. */
    public static LocalReply of(int status, String text) {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        if (body.length == 0) {
            return new LocalReply(status, List.of(), body);
        }
        return new LocalReply(
                status,
                List.of(Map.entry("content-length", Integer.toString(body.length)), Map.entry("content-type", "text/plain")),
                body);
    }
}
