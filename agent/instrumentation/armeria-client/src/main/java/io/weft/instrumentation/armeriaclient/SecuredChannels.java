package io.weft.instrumentation.armeriaclient;

import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.SslHandler;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Dropped;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How connections to endpoints are secured. An endpoint's host is the name of its {@link ClientTls}, by which the library's pools tell
 * connections apart; where the library connects to such a host, it hears of it only once the handshake is done. Thread-safe.
 */
final class SecuredChannels {
    private static final String TLS = "weft.tls";
    private static final String HANDSHAKE = "weft.handshake";

    private final Map<String, Way> byName = new ConcurrentHashMap<>();
    private final Dropped dropped = new Dropped();
    private final Pools pools;
    // To make one anew, which looks at each letter of its host and counts its hash, costs more than to look it up.
    private final Attached<com.linecorp.armeria.client.Endpoint> plain = new Attached<>();
    private final Attached<com.linecorp.armeria.client.Endpoint> secured = new Attached<>();
    private final Attached<com.linecorp.armeria.client.Endpoint> securedHttp2 = new Attached<>();

    SecuredChannels(Pools pools) {
        this.pools = pools;
    }

    /** @param http2 nothing else is spoken */
    private record Way(WeakReference<ClientTls> tls, boolean http2) {}

    /**
     * Where the library is to connect.
     *
     * @param factory of the client that does
     */
    com.linecorp.armeria.client.Endpoint towards(Endpoint endpoint, boolean http2, Object factory) {
        if (endpoint.tls() != null) {
            pools.use(factory);
        }
        Attached<com.linecorp.armeria.client.Endpoint> all = endpoint.tls() == null ? plain : http2 ? securedHttp2 : secured;
        com.linecorp.armeria.client.Endpoint known = all.of(endpoint);
        if (known == null) {
            known = make(endpoint, http2);
            all.put(endpoint, known);
        }
        return known;
    }

    private com.linecorp.armeria.client.Endpoint make(Endpoint endpoint, boolean http2) {
        InetSocketAddress address = endpoint.address();
        String ip = address.getAddress().getHostAddress();
        ClientTls tls = endpoint.tls();
        if (tls == null) {
            return com.linecorp.armeria.client.Endpoint.of(ip, address.getPort());
        }
        String name = http2 ? tls.id() + "-http2" : tls.id();
        if (!byName.containsKey(name) && byName.put(name, new Way(new WeakReference<>(tls), http2)) == null) {
            dropped.then(tls, () -> {
                byName.remove(name);
                pools.forget(name);
            });
        }
        return com.linecorp.armeria.client.Endpoint.of(name, address.getPort()).withIpAddr(ip);
    }

    /** Before the library connects. @return false: it must not, and has been told why */
    boolean connects(Channel channel, Object remote, ChannelPromise library) {
        Way way = remote instanceof InetSocketAddress address ? byName.get(address.getHostString()) : null;
        if (way == null) {
            return true;
        }
        try {
            ClientTls tls = way.tls.get();
            if (tls == null) {
                throw new IllegalStateException("the endpoint is no more");
            }
            InetSocketAddress address = (InetSocketAddress) remote;
            InetSocketAddress peer = new InetSocketAddress(address.getAddress(), address.getPort());
            SslHandler handler = new SslHandler(way.http2 ? tls.http2Engine(peer) : tls.engine(peer));
            handler.setHandshakeTimeoutMillis(channel.config().getConnectTimeoutMillis());
            channel.pipeline().addFirst(TLS, handler).addAfter(TLS, HANDSHAKE, new Handshake(tls, peer));
            return true;
        } catch (RuntimeException | Error fault) {
            library.tryFailure(failure(peer(remote), fault));
            channel.close();
            return false;
        }
    }

    static String peer(Object remote) {
        return remote instanceof InetSocketAddress address && address.getAddress() != null
                ? address.getAddress().getHostAddress() + ":" + address.getPort()
                : String.valueOf((SocketAddress) remote);
    }

    static ConnectException failure(String peer, Throwable cause) {
        ConnectException failure = new ConnectException("mesh TLS to " + peer + " failed: " + cause);
        failure.initCause(cause);
        return failure;
    }
}
