package io.weft.instrumentation.helidon;

import static io.weft.instrumentation.helidon.Handles.getter;
import static io.weft.instrumentation.helidon.Handles.method;
import static io.weft.instrumentation.helidon.Handles.setter;

import io.helidon.common.buffers.DataReader.InsufficientDataAvailableException;
import io.helidon.http.ClientResponseHeaders;
import io.helidon.http.Headers;
import io.helidon.webclient.api.ClientConnection;
import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.HttpClientConfig;
import io.helidon.webclient.api.Proxy;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.WebClientService;
import io.weft.dataplane.Exchange.Failure;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.net.SocketTimeoutException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Those of HTTP/1.1. */
final class Http1CallChains implements CallChains {
    private static final String HTTP1 = "io.helidon.webclient.http1.Http1Call";

    /** As the library says it of a connection that has failed while it was idle, where a thread waits at it. */
    private static final String FAILED_IDLE = "Exception in socket monitor thread.";

    /** Read once, by {@link Members}. */
    private static volatile AdapterContext members;

    private final AdapterContext context;
    private final Connections connections;

    Http1CallChains(AdapterContext context, Connections connections) throws ReflectiveOperationException {
        this.context = context;
        this.connections = connections;
        members = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    @Override
    public OutgoingRequest request(WebClientService.Chain chain, WebClientServiceRequest request) throws Throwable {
        return new OutgoingRequest("HTTP/1.1", request, Members.OF_ENTITY.isInstance(chain) ? (byte[]) Members.ENTITY.invokeExact((Object) chain) : null);
    }

    @Override
    public Attempt attempt(WebClientService.Chain chain, OutgoingRequest exchange) {
        return new Http1Attempt(context, connections, chain, exchange);
    }

    @Override
    public boolean isDirect(WebClientService.Chain chain, ClientUri uri) throws Throwable {
        if ((ClientConnection) Members.OWN_CONNECTION.invokeExact((Object) chain) != null) {
            return false;
        }
        if (Members.OWN_ADDRESS != null && ((Optional<?>) Members.OWN_ADDRESS.invokeExact((Object) Members.REQUEST.invokeExact((Object) chain))).isPresent()) {
            return false;
        }
        return CallChains.isDirect((Proxy) Members.PROXY.invokeExact((Object) chain), uri);
    }

    @Override
    public Failure connectFailure(RuntimeException failure) {
        return failure instanceof UncheckedIOException ? Failure.CONNECT : Failure.CANCELLED;
    }

    @Override
    public Failure failure(WebClientService.Chain chain, RuntimeException failure) {
        Throwable cause = cause(failure);
        if (cause instanceof SocketTimeoutException) {
            return Failure.TIMEOUT;
        }
        // The library says so where a connection ends before a response; the rest is the app's, as what writes its body.
        boolean lost = cause instanceof IOException || failure instanceof InsufficientDataAvailableException || FAILED_IDLE.equals(failure.getMessage());
        return lost ? Failure.RESET : Failure.CANCELLED;
    }

    @Override
    public Throwable cause(Exception failure) {
        return failure instanceof UncheckedIOException io ? io.getCause() : failure;
    }

    @Override
    public void answeredOver(WebClientService.Chain chain, ClientConnection connection, WebClientServiceRequest request) throws Throwable {
        Members.SET_CONNECTION.invokeExact((Object) chain, connection);
    }

    @Override
    @SuppressWarnings("unchecked")
    public CompletableFuture<WebClientServiceResponse> whenComplete(WebClientService.Chain chain) throws Throwable {
        return (CompletableFuture<WebClientServiceResponse>) (CompletableFuture<?>) Members.WHEN_COMPLETE.invokeExact((Object) chain);
    }

    @Override
    public ClientResponseHeaders headers(WebClientService.Chain chain, Headers headers) throws Throwable {
        return ClientResponseHeaders.create(headers, ((HttpClientConfig) Members.CONFIG.invokeExact((Object) chain)).mediaTypeParserMode());
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final Class<?> OF_ENTITY;
        static final MethodHandle ENTITY;
        static final MethodHandle PROXY;
        static final MethodHandle CONFIG;
        static final MethodHandle OWN_CONNECTION;
        static final MethodHandle SET_CONNECTION;
        static final MethodHandle WHEN_COMPLETE;
        /** Null as long as there is no {@link #OWN_ADDRESS}. */
        static final MethodHandle REQUEST;
        /** Of a path in the file system; null before there was such a thing. */
        static final MethodHandle OWN_ADDRESS;

        static {
            AdapterContext context = members;
            try {
                Lookup ofEntityChain = context.lookup(HTTP1 + "EntityChain");
                OF_ENTITY = ofEntityChain.lookupClass();
                ENTITY = getter(ofEntityChain, "entity", byte[].class);
                Lookup chain = context.lookup(HTTP1 + "ChainBase");
                PROXY = getter(chain, "proxy", Proxy.class);
                CONFIG = getter(chain, "clientConfig", HttpClientConfig.class);
                OWN_CONNECTION = getter(chain, "connection", ClientConnection.class);
                WHEN_COMPLETE = getter(chain, "whenComplete", CompletableFuture.class);
                SET_CONNECTION = setter(chain, "effectiveConnection", ClientConnection.class);
                OWN_ADDRESS = address(context);
                REQUEST = OWN_ADDRESS == null ? null : getter(chain, "originalRequest", context.lookup("io.helidon.webclient.http1.Http1ClientRequestImpl"));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static MethodHandle address(AdapterContext context) throws ReflectiveOperationException {
            try {
                return method(context.lookup("io.helidon.webclient.api.ClientRequestBase"), "address", Optional.class);
            } catch (NoSuchMethodException before) {
                return null;
            }
        }
    }
}
