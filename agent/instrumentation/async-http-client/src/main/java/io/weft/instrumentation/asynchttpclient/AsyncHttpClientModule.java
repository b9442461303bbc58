package io.weft.instrumentation.asynchttpclient;

import static io.weft.instrumentation.Hook.argument;
import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * AsyncHttpClient, which is on Netty.
 *
 * <p>Its sender is asked once for each hop of a request: a redirect, a challenge, what a filter of the app's has sent again and the
 * library's own retry come by again. A hop that a policy names makes as many attempts as it takes, each with a connection of the app's own
 * pool, which is kept by endpoint, or a new one, whose pipeline has the mesh's handlers below the library's. Whatever the library does with a
 * channel and a response's future it goes on doing: its timeouts, its callbacks and its threads are its own.
 */
public final class AsyncHttpClientModule {
    static final String SEND = "send";
    static final String FUTURE = "future";
    static final String PARTITION_KEY = "partition-key";
    static final String ABORTING = "aborting";
    static final String ABORT = "abort";
    static final String CANCEL = "cancel";
    static final String TIMEOUTS = "timeouts";
    static final String RESOLVE = "resolve";
    static final String CONNECT = "connect";
    static final String HAS_TLS = "has-tls";
    static final String PERMIT = "permit";

    private static final String NETTY = "org.asynchttpclient.netty.";
    private static final String SENDER = NETTY + "request.NettyRequestSender";
    private static final String RESPONSE_FUTURE = NETTY + "NettyResponseFuture";
    private static final String L_FUTURE = "Lorg/asynchttpclient/netty/NettyResponseFuture;";
    private static final String L_REQUEST = "Lorg/asynchttpclient/Request;";
    private static final String L_HANDLER = "Lorg/asynchttpclient/AsyncHandler;";

    private AsyncHttpClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "async-http-client",
                "2.12 to 3.0, over HTTP/1.1",
                "io.weft.instrumentation.asynchttpclient.AsyncHttpClientAdapter",
                List.of(),
                List.of(
                        around(SEND, SENDER, "sendRequest",
                                "(" + L_REQUEST + L_HANDLER + L_FUTURE + ")Lorg/asynchttpclient/ListenableFuture;"),
                        argument(FUTURE, RESPONSE_FUTURE, "<init>",
                                "(" + L_REQUEST + L_HANDLER + "Lorg/asynchttpclient/netty/request/NettyRequest;I"
                                        + "Lorg/asynchttpclient/channel/ChannelPoolPartitioning;"
                                        + "Lorg/asynchttpclient/netty/channel/ConnectionSemaphore;Lorg/asynchttpclient/proxy/ProxyServer;)V", 4),
                        result(PARTITION_KEY, RESPONSE_FUTURE, "getPartitionKey", "()Ljava/lang/Object;"),
                        // Newer ones count an app's connections by it.
                        result(PARTITION_KEY, RESPONSE_FUTURE, "basePartitionKey", "()Ljava/lang/Object;").whenPresent(),
                        around(ABORTING, SENDER, "abort", "(Lio/netty/channel/Channel;" + L_FUTURE + "Ljava/lang/Throwable;)V"),
                        around(ABORT, RESPONSE_FUTURE, "abort", "(Ljava/lang/Throwable;)V"),
                        around(CANCEL, RESPONSE_FUTURE, "cancel", "(Z)Z"),
                        // with an argument, too, in newer ones
                        around(PERMIT, RESPONSE_FUTURE, "acquirePartitionLockLazily", ""),
                        around(TIMEOUTS, SENDER, "scheduleRequestTimeout", "(" + L_FUTURE + "Ljava/net/InetSocketAddress;)V"),
                        // with a further argument in newer ones
                        around(RESOLVE, SENDER, "resolveAddresses", ""),
                        around(CONNECT, NETTY + "channel.NettyChannelConnector", "connect",
                                "(Lio/netty/bootstrap/Bootstrap;Lorg/asynchttpclient/netty/channel/NettyConnectListener;)V"),
                        around(HAS_TLS, NETTY + "channel.ChannelManager", "isSslHandlerConfigured", "(Lio/netty/channel/ChannelPipeline;)Z")))
                .released(Releases.of(List.of("org.asynchttpclient:async-http-client"), "2.12 to 3.0"));
    }
}
