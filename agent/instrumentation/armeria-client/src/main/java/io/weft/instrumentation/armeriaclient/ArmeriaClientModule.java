package io.weft.instrumentation.armeriaclient;

import static io.weft.instrumentation.Hook.around;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Armeria's client, on which its WebClient, its gRPC and its Thrift clients are.
 *
 * <p>The end of its chain of decorators is asked once for each request that goes to a server. One that a policy names makes as many attempts as
 * it takes, each in a context derived from the app's, as the library's own RetryingClient does: with a log, and without a patience, of its own.
 * Connections come from the app's own pools, which tell them apart by an endpoint's host: that says how one is secured, and where the library
 * connects to such a host, its pipeline has mesh TLS below all else. The log of the app's own context is told what the library would have told it.
 */
public final class ArmeriaClientModule {
    static final String EXECUTE = "execute";
    static final String SEND = "send";
    static final String PROXIES = "proxies";
    static final String CONNECT = "connect";

    private static final String CLIENT = "com.linecorp.armeria.client.";
    private static final String L_CLIENT = "Lcom/linecorp/armeria/client/";
    private static final String L_COMMON = "Lcom/linecorp/armeria/common/";
    private static final String L_INTERNAL = "Lcom/linecorp/armeria/internal/client/";
    private static final String L_ADDRESS = "Ljava/net/SocketAddress;";

    private ArmeriaClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "armeria-client",
                "1.24 to 1.40",
                "io.weft.instrumentation.armeriaclient.ArmeriaClientAdapter",
                List.of(),
                List.of(
                        around(EXECUTE, CLIENT + "HttpClientDelegate", "execute",
                                "(" + L_CLIENT + "ClientRequestContext;" + L_COMMON + "HttpRequest;)" + L_COMMON + "HttpResponse;"),
                        around(SEND, CLIENT + "HttpClientDelegate", "doExecute",
                                "(" + L_INTERNAL + "PooledChannel;" + L_CLIENT + "ClientRequestContext;" + L_COMMON + "HttpRequest;"
                                        + L_INTERNAL + "DecodedHttpResponse;)V"),
                        around(PROXIES, CLIENT + "HttpClientFactory", "proxyConfigSelector", "()" + L_CLIENT + "proxy/ProxyConfigSelector;"),
                        around(CONNECT, CLIENT + "HttpClientPipelineConfigurator", "connect",
                                "(Lio/netty/channel/ChannelHandlerContext;" + L_ADDRESS + L_ADDRESS + "Lio/netty/channel/ChannelPromise;)V")))
                .released(Releases.of(List.of("com.linecorp.armeria:armeria"), "1.24 to 1.40"));
    }
}
