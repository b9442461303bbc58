package io.weft.instrumentation.micronauthttpclient;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Micronaut's HTTP client, which is on Netty, and what is declared with {@code @Client}.
 *
 * <p>The library asks its pool for a connection before it has the request ready. For a host that a policy names the pool gets another key
 * and, in place of a connection, opens a channel of the mesh's that leads nowhere: the library's own pipeline is on it, but for the
 * codec. What the library writes there is a request with all of its head to decide by. Each attempt then has a connection to its endpoint from
 * the same pool, and what comes from there goes up the library's pipeline: its timeouts, its limits and its threads are its own.
 */
public final class MicronautHttpClientModule {
    static final String ACQUIRE = "acquire";
    static final String CONNECT = "connect";
    static final String PROXY = "proxy";
    static final String FAILURE = "failure";

    private static final String NETTY = "io.micronaut.http.client.netty.";
    private static final String CONNECTIONS = NETTY + "ConnectionManager";

    private MicronautHttpClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "micronaut-http-client",
                "4.0 to 4.10, over HTTP/1.1",
                "io.weft.instrumentation.micronauthttpclient.MicronautHttpClientAdapter",
                List.of(),
                List.of(
                        // with a further argument in newer ones, and another type of result
                        argument(ACQUIRE, CONNECTIONS, "connect", "", 0),
                        // with a further argument in newer ones
                        around(CONNECT, CONNECTIONS, "doConnect", ""),
                        around(PROXY, CONNECTIONS, "configureProxy", "(Lio/netty/channel/ChannelPipeline;ZLjava/lang/String;I)V"),
                        // up to 4.6
                        around(FAILURE, NETTY + "DefaultHttpClient$BaseHttpResponseHandler", "exceptionCaught",
                                "(Lio/netty/channel/ChannelHandlerContext;Ljava/lang/Throwable;)V").whenPresent()))
                .released(Releases.of(List.of("io.micronaut:micronaut-http-client"), "4.0 to 4.10"));
    }
}
