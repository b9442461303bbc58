package io.weft.instrumentation.nettyclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a channel is to speak, as far as its pipeline tells before it is connected. */
enum Spoken {
    /** In plaintext; with an upgrade to HTTP/2 where there is one. */
    HTTP_1,
    /** In plaintext, without having asked. */
    HTTP_2,
    /** HTTP over the app's own TLS. */
    TLS,
    /** Nothing that the mesh knows, or through a proxy of the app's, or that of a library with a module of its own. */
    OTHER;

    // By name, since the app may not have these parts of Netty. For a copy of Netty the texts are those of the copy.
    private static final Set<String> OF_HTTP_1 = Set.of(
            "io.netty.handler.codec.http.HttpClientCodec",
            "io.netty.handler.codec.http.HttpRequestEncoder");
    private static final Set<String> OF_HTTP_2 = Set.of("io.netty.handler.codec.http2.Http2ConnectionHandler");
    private static final Set<String> OF_TLS = Set.of("io.netty.handler.ssl.SslHandler");
    private static final Set<String> OF_PROXY = Set.of("io.netty.handler.proxy.ProxyHandler");
    private static final List<String> LIBRARIES = List.of(
            "org.asynchttpclient.", "io.vertx.", "com.linecorp.armeria.", "io.micronaut.", "reactor.netty.", "io.grpc.", "io.weft.instrumentation.");

    static Spoken of(Bootstrap bootstrap, Channel channel) {
        if (isOfLibrary(bootstrap.config().handler())) {
            return OTHER;
        }
        boolean http1 = false;
        boolean http2 = false;
        boolean tls = false;
        for (Map.Entry<String, ChannelHandler> entry : channel.pipeline()) {
            for (Class<?> type = entry.getValue().getClass(); type != Object.class; type = type.getSuperclass()) {
                String name = type.getName();
                if (OF_PROXY.contains(name)) {
                    return OTHER;
                }
                http1 |= OF_HTTP_1.contains(name);
                http2 |= OF_HTTP_2.contains(name);
                tls |= OF_TLS.contains(name);
            }
        }
        if (!http1 && !http2) {
            return OTHER;
        }
        return tls ? TLS : http1 ? HTTP_1 : HTTP_2;
    }

    private static boolean isOfLibrary(ChannelHandler handler) {
        String name = handler == null ? "" : handler.getClass().getName();
        return LIBRARIES.stream().anyMatch(name::startsWith);
    }
}
