package io.weft.instrumentation.springclients;

import io.weft.instrumentation.EarlyHeaders;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.client.ClientHttpRequest;

/** Of one request of a {@code RestClient} or {@code RestTemplate}. */
record BlockingRequestHeaders(ClientHttpRequest request, HttpHeaders headers, HeaderValues headerValues) implements EarlyHeaders {

    @Override
    public List<String> values(String name) {
        return headerValues.of(headers, name);
    }
}
