package io.weft.instrumentation.vertx;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Vert.x's {@code HttpClient}, and what is built on it, as its {@code WebClient}.
 *
 * <p>The library gives the app a request that has its connection already. For a host that a policy names it is given one without: a
 * request of the library's own on a stream of the mesh's. Once the app sends it, all of its head is there to decide by. Then each attempt
 * is sent on a stream that the library's own pool has for the endpoint, and what comes from there is handed up. Connections are secured
 * where Netty connects them, before the library hears that they are there.
 */
public final class VertxModule {
    static final String CLIENT = "io.vertx.core.http.impl.HttpClientImpl";
    static final String REQUEST_BEFORE_5 = "request-before-5";
    static final String ASKED_4_0 = "asked-4.0";
    static final String PARTS_4_0 = "parts-4.0";
    static final String REQUEST = "request";
    static final String SERVER = "server";
    static final String CONNECT = "connect";
    static final String PROXY = "proxy";

    private static final String ASKED = "(Lio/vertx/core/http/RequestOptions;Lio/vertx/core/impl/future/PromiseInternal;)V";
    private static final String PARTS = "(Lio/vertx/core/http/HttpMethod;ILjava/lang/String;Ljava/lang/String;"
            + "Lio/vertx/core/impl/future/PromiseInternal;)V";
    private static final String BASE = "io.vertx.core.http.impl.HttpClientBase";
    private static final String OPTIONS = "Lio/vertx/core/net/ProxyOptions;";
    private static final String ADDRESS = "Lio/vertx/core/net/SocketAddress;";

    private VertxModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                        "vertx",
                        "4, 5",
                        List.of("io.weft.instrumentation.vertx.VertxAdapter", "io.weft.instrumentation.vertx.VertxBefore45Adapter"),
                        List.of(),
                        List.of(
                                // from 4.1 on
                                Hook.around(REQUEST_BEFORE_5, CLIENT, "doRequest", ASKED).whenPresent(),
                                // in 4.0
                                Hook.around(REQUEST_BEFORE_5, CLIENT, "request", ASKED).whenPresent(),
                                Hook.argument(ASKED_4_0, CLIENT, "request", PARTS, 4).whenPresent(),
                                Hook.around(PARTS_4_0, CLIENT, "request", PARTS).whenPresent(),
                                Hook.around(REQUEST, CLIENT, "request", "(Lio/vertx/core/http/RequestOptions;)Lio/vertx/core/Future;"),
                                // in 4.1 to 4.4, in 4.5, and from 5 on: the app may want a proxy for all that is not of some name, as an endpoint's address
                                proxy(CLIENT, "getProxyOptions", ""),
                                proxy(BASE, "resolveProxyOptions", ADDRESS),
                                proxy(BASE, "computeProxyOptions", ADDRESS),
                                // from 5.1 on
                                Hook.argument(SERVER, "io.vertx.core.http.impl.tcp.TcpHttpClientTransport", "connect",
                                        "(Lio/vertx/core/internal/ContextInternal;Lio/vertx/core/net/SocketAddress;Lio/vertx/core/net/HostAndPort;"
                                                + "Lio/vertx/core/http/impl/HttpConnectParams;Lio/vertx/core/spi/metrics/ClientMetrics;)"
                                                + "Lio/vertx/core/Future;",
                                        1).whenPresent(),
                                Hook.argument(CONNECT, "io.netty.channel.DefaultChannelPipeline$HeadContext", "connect",
                                        "(Lio/netty/channel/ChannelHandlerContext;Ljava/net/SocketAddress;Ljava/net/SocketAddress;"
                                                + "Lio/netty/channel/ChannelPromise;)V",
                                        3).untilWoken()))
                .markedBy(CLIENT)
                .released(Releases.of(List.of("io.vertx:vertx-core"), "4 to 5"));
    }

    private static Hook proxy(String of, String method, String and) {
        return Hook.around(PROXY, of, method, "(" + OPTIONS + and + ")" + OPTIONS).whenPresent();
    }
}
