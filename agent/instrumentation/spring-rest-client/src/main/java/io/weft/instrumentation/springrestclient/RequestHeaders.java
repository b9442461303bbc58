package io.weft.instrumentation.springrestclient;

import io.weft.instrumentation.EarlyHeaders;
import java.util.ArrayList;
import java.util.List;
import org.springframework.http.HttpHeaders;

/** Of one request. */
record RequestHeaders(HttpHeaders headers) implements EarlyHeaders {

    /** By what is the same in 6, where headers are a map, and 7. */
    @Override
    public List<String> values(String name) {
        List<String> values = new ArrayList<>();
        headers.forEach((header, all) -> {
            if (header.equalsIgnoreCase(name)) {
                values.addAll(all);
            }
        });
        return values;
    }
}
