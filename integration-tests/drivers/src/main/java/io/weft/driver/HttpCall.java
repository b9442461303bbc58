package io.weft.driver;

import java.util.Map;

/**
 * One request that a driver sends with the library under test.
 *
 * @param body empty: none
 */
public record HttpCall(String method, String url, Map<String, String> headers, String body) {
    public HttpCall {
        headers = Map.copyOf(headers);
    }
}
