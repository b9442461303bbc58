package io.weft.dataplane;

import java.util.List;
import java.util.Map;

/**
 * A request as its library sends it, before the mesh's changes.
 *
 * @param headers as they are, those of the connection and the framing included
 * @param body may be empty
 */
public record RequestCopy(List<Map.Entry<String, String>> headers, byte[] body) {
    public RequestCopy {
        headers = List.copyOf(headers);
    }
}
