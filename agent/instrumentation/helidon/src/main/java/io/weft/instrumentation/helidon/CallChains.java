package io.weft.instrumentation.helidon;

import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.Headers;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.Proxy;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.Exchange.Failure;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;

/** The ends of the chains of services, in one version of HTTP. Thread-safe. */
interface CallChains {
    OutgoingRequest request(WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable;

    /** The mesh has the request, and its first attempt is due. On the thread of the request. */
    default void begin(WebClientService.Chain chain, OutgoingRequest exchange) throws Throwable {}

    Attempt attempt(WebClientService.Chain chain, OutgoingRequest exchange);

    /** Whether the library itself is to find a connection for it, over which no proxy stands. */
    boolean isDirect(WebClientService.Chain chain, ClientUri uri) throws Throwable;

    static boolean isDirect(Proxy apps, ClientUri uri) {
        return switch (apps.type()) {
            case NONE -> true;
            case SYSTEM -> !apps.isUsingSystemProxy(uri.scheme() + "://" + uri.host() + ":" + uri.port());
            case HTTP -> apps.isNoHosts(InetSocketAddress.createUnresolved(uri.host(), uri.port()));
        };
    }

    /** Why there is no connection, as far as it is not the app's doing. */
    Failure connectFailure(RuntimeException failure);

    /** Of an attempt that had its connection. */
    Failure failure(WebClientService.Chain chain, RuntimeException failure) throws Throwable;

    /** What the library itself would say that reading a body has failed for. */
    Throwable cause(Exception failure);

    /** Of a body that the library says is over: false where that is because its endpoint has broken it off. */
    default boolean isWhole(WebClientService.Chain chain) throws Throwable {
        return true;
    }

    /** From now on it is the one that the app's response is of. */
    void answeredOver(WebClientService.Chain chain, ClientConnection connection, WebClientServiceRequest request) throws Throwable;

    CompletableFuture<WebClientServiceResponse> whenComplete(WebClientService.Chain chain) throws Throwable;

    /** As the library would have read them. */
    ClientResponseHeaders headers(WebClientService.Chain chain, Headers headers) throws Throwable;
}
