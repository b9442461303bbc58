package io.weft.instrumentation.springwebclient;

import io.weft.instrumentation.EarlyHeaders;
import java.util.ArrayList;
import java.util.List;
import org.springframework.web.reactive.function.client.ClientRequest;

/** Of one request, cookies included. */
record RequestHeaders(ClientRequest request, HeaderValues headerValues) implements EarlyHeaders {

    @Override
    public List<String> values(String name) {
        List<String> values = headerValues.of(request.headers(), name);
        return values.isEmpty() && name.equals("cookie") ? cookie() : values;
    }

    private List<String> cookie() {
        if (request.cookies().isEmpty()) {
            return List.of();
        }
        List<String> pairs = new ArrayList<>();
        request.cookies().forEach((name, values) -> values.forEach(value -> pairs.add(name + "=" + value)));
        return List.of(String.join("; ", pairs));
    }
}
