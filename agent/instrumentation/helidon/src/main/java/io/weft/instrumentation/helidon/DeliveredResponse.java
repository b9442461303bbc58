package io.weft.instrumentation.helidon;

import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.ClientResponseTrailers;
import io.helidon.http.Status;
import io.helidon.webclient.api.ReleasableResource;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.helidon.webclient.api.WebClientServiceResponse;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A response as the app is given it. By the library's own builder it would cost more than the rest of the adapter. */
record DeliveredResponse(WebClientServiceResponse response, ClientResponseHeaders headers, Optional<InputStream> inputStream)
        implements WebClientServiceResponse {
    @Override
    public CompletableFuture<ClientResponseTrailers> trailers() {
        return response.trailers();
    }

    @Override
    public Status status() {
        return response.status();
    }

    @Override
    public ReleasableResource connection() {
        return response.connection();
    }

    @Override
    public CompletableFuture<WebClientServiceResponse> whenComplete() {
        return response.whenComplete();
    }

    @Override
    public WebClientServiceRequest serviceRequest() {
        return response.serviceRequest();
    }

    @Override
    public String toString() {
        return response.toString();
    }
}
