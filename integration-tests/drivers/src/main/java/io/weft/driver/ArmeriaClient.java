package io.weft.driver;

import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import io.netty.util.AsciiString;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;

/** Armeria's WebClient over HTTP/1.1, as an app that waits for its answers. */
public final class ArmeriaClient {
    private final WebClient client = WebClient.of();

    private ArmeriaClient() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ArmeriaClient()::send);
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        String url = call.url().replaceFirst("^http:", "h1c:");
        RequestHeadersBuilder headers = RequestHeaders.builder(HttpMethod.valueOf(call.method()), url);
        call.headers().forEach(headers::set);
        try {
            return answer(client.execute(headers.build(), HttpData.ofUtf8(call.body())).aggregate().get());
        } catch (ExecutionException e) {
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private static HttpAnswer answer(AggregatedHttpResponse response) {
        Map<String, String> headers = new TreeMap<>();
        for (Map.Entry<AsciiString, String> header : response.headers()) {
            headers.merge(header.getKey().toString(), header.getValue(), (some, more) -> some + ", " + more);
        }
        return new HttpAnswer(response.status().code(), headers, response.contentUtf8(), Map.of());
    }
}
