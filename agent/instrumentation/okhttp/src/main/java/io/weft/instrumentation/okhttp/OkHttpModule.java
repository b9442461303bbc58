package io.weft.instrumentation.okhttp;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * OkHttp, and what is built on it.
 *
 * <p>The interceptor that connects is called once for each attempt, each time with another address: the app's own but for its
 * {@code Dns} and its {@code SocketFactory}, which lead to the endpoint and keep its connections apart in the app's pool. It is
 * below cookies, cache, redirects and challenges, and above the app's network interceptors. What the mesh changes of a request is
 * changed where it is written to the wire, so that nobody in between sees it. Clients and calls that were made before the agent came
 * are covered, too.
 */
public final class OkHttpModule {
    static final String VERSIONS = "3.12 to 5";

    private static final String INTERNAL = "okhttp3.internal.";

    private OkHttpModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "okhttp",
                VERSIONS,
                "io.weft.instrumentation.okhttp.OkHttpAdapter",
                List.of(),
                List.of(
                        Hook.around(
                                "connect",
                                INTERNAL + "connection.ConnectInterceptor",
                                "intercept",
                                "(Lokhttp3/Interceptor$Chain;)Lokhttp3/Response;"),
                        // 3.14 to 4.3, 4.4 to 4, 5.0 to 5.3, from 5.4 on; before, it is a field
                        address(INTERNAL + "connection.Transmitter", "createAddress"),
                        address(INTERNAL + "connection.RealCall", "createAddress"),
                        address("okhttp3.OkHttpClient", "address"),
                        address(INTERNAL + "http.RealInterceptorChain", "address"),
                        // before 3.14, to 4.3, from then on: between this and the next a connection is in the pool
                        acquired("StreamAllocation", "acquire", "(Lokhttp3/internal/connection/RealConnection;Z)V"),
                        acquired("Transmitter", "acquireConnectionNoEvents", "(Lokhttp3/internal/connection/RealConnection;)V"),
                        acquired("RealCall", "acquireConnectionNoEvents", "(Lokhttp3/internal/connection/RealConnection;)V"),
                        idle("okhttp3.ConnectionPool"),
                        idle(INTERNAL + "connection.RealConnectionPool"),
                        // before 3.14, from then on
                        writeHeaders(INTERNAL + "http1.Http1Codec"),
                        writeHeaders(INTERNAL + "http2.Http2Codec"),
                        writeHeaders(INTERNAL + "http1.Http1ExchangeCodec"),
                        writeHeaders(INTERNAL + "http2.Http2ExchangeCodec"),
                        requestBody(INTERNAL + "http1.Http1Codec"),
                        requestBody(INTERNAL + "http2.Http2Codec"),
                        requestBody(INTERNAL + "http1.Http1ExchangeCodec"),
                        requestBody(INTERNAL + "http2.Http2ExchangeCodec")))
                .released(Releases.of(List.of("com.squareup.okhttp3:okhttp", "com.squareup.okhttp3:okhttp-jvm"), "3.12 to 5"));
    }

    private static Hook address(String className, String method) {
        return Hook.around("address", className, method, "(Lokhttp3/HttpUrl;)Lokhttp3/Address;").whenPresent();
    }

    private static Hook acquired(String className, String method, String descriptor) {
        return Hook.around("acquired", INTERNAL + "connection." + className, method, descriptor).whenPresent();
    }

    private static Hook idle(String className) {
        return Hook.around("idle", className, "connectionBecameIdle", "(Lokhttp3/internal/connection/RealConnection;)Z").whenPresent();
    }

    private static Hook writeHeaders(String className) {
        return Hook.argument("write-headers", className, "writeRequestHeaders", "(Lokhttp3/Request;)V", 0).whenPresent();
    }

    private static Hook requestBody(String className) {
        return Hook.result("request-body", className, "createRequestBody", "(Lokhttp3/Request;J)Lokio/Sink;").whenPresent();
    }
}
