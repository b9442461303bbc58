package io.weft.instrumentation.helidon;

import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import java.util.List;
import java.util.Locale;

/** Helidon's headers, to be read. */
final class RequestHeaders {
    private RequestHeaders() {}

    /** Helidon finds names that it knows by their lower case. */
    static HeaderName name(String name) {
        return HeaderNames.createFromLowercase(name.toLowerCase(Locale.ROOT));
    }

    /** @return null when absent */
    static String joined(Headers headers, String name) {
        return joined(headers, name(name));
    }

    /** @return null when absent */
    static String joined(Headers headers, HeaderName key) {
        if (!headers.contains(key)) {
            return null;
        }
        List<String> values = headers.all(key, List::of);
        return values.size() == 1 ? values.get(0) : String.join(",", values);
    }

    static List<String> values(Headers headers, String name) {
        return List.copyOf(headers.all(name(name), List::of));
    }

    static long bytes(Headers headers) {
        long bytes = 0;
        for (Header header : headers) {
            for (String value : header.allValues()) {
                bytes += header.name().length() + value.length();
            }
        }
        return bytes;
    }
}
