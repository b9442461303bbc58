package io.weft.instrumentation.nettyclient;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelPromise;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Outbound;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.HostHeader;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.RejectedExecutionException;

/** The handler of {@link NettyClientModule}. Compiled against Netty 4.1.21, links on later ones. Thread-safe. */
public final class NettyClientAdapter implements Adapter {
    private static final int HTTPS = 443;

    private final AdapterContext context;

    public NettyClientAdapter(AdapterContext context) {
        this.context = context;
    }

    @Override
    public Handler handler(String hook) {
        if (!hook.equals(NettyClientModule.CONNECT)) {
            throw new IllegalArgumentException(hook);
        }
        return (Handler.Around) (bootstrap, channel, remote, local, promise) -> {
            if (!(remote instanceof InetSocketAddress host)) {
                return Handler.PROCEED;
            }
            Spoken spoken = Spoken.of((Bootstrap) bootstrap, (Channel) channel);
            return spoken == Spoken.OTHER ? Handler.PROCEED : connect((Channel) channel, spoken, host, (SocketAddress) local, (ChannelPromise) promise);
        };
    }

    private Object connect(Channel channel, Spoken spoken, InetSocketAddress host, SocketAddress local, ChannelPromise promise) {
        Outbound outbound = context.outbound();
        String name = host.getHostString();
        int port = host.getPort();
        // Some add what encrypts once they are connected.
        boolean tls = spoken == Spoken.TLS || port == HTTPS;
        String authority = HostHeader.of(name, port);
        if (tls || !outbound.names(authority)) {
            ConnectException refusal = Outside.refusal(outbound, tls, name, port);
            return refusal == null ? Handler.PROCEED : refuse(channel, promise, refusal);
        }
        Endpoint endpoint;
        try {
            endpoint = outbound.pick("http", authority, "GET", "/");
        } catch (RuntimeException | Error fault) {
            if (!outbound.mayBeSecured(authority)) {
                throw fault;
            }
            return refuse(channel, promise, Unsent.because(fault));
        }
        if (endpoint == null) {
            return refuse(channel, promise, new ConnectException("the mesh has no endpoint for a connection to http://" + authority
                    + "/: nobody serves it, or policy answers it by itself; weft explain GET http://" + authority + "/ says which"));
        }
        if (endpoint.tls() != null) {
            SecuredConnection.begin(channel, endpoint.tls(), endpoint.address(), spoken == Spoken.HTTP_2);
        }
        return connect(channel, endpoint.address(), local, promise);
    }

    /** As the library does it for an address that it has looked up. */
    private static ChannelFuture connect(Channel channel, InetSocketAddress endpoint, SocketAddress local, ChannelPromise promise) {
        try {
            channel.eventLoop().execute(() -> {
                if (local == null) {
                    channel.connect(endpoint, promise);
                } else {
                    channel.connect(endpoint, local, promise);
                }
                promise.addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
            });
        } catch (RejectedExecutionException ended) {
            promise.tryFailure(ended);
        }
        return promise;
    }

    private static ChannelFuture refuse(Channel channel, ChannelPromise promise, ConnectException refusal) {
        channel.close();
        promise.tryFailure(refusal);
        return promise;
    }
}
