package io.weft.instrumentation.vertx;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.vertx.core.net.SocketAddress;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Dropped;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * How connections to endpoints are secured. An endpoint's address carries a name of its own for its {@link ClientTls}, by which the
 * library's pools tell connections apart; where Netty connects to such an address, the library hears of it only once the handshake is
 * done. Thread-safe.
 */
final class SecuredChannels {
    static final String TLS = "weft.tls";
    private static final String HANDSHAKE = "weft.handshake";

    private final Map<String, Way> byName = new ConcurrentHashMap<>();
    private final Dropped dropped = new Dropped();
    private final Attached<Address> addresses = new Attached<>();
    private final Attached<Address> addressesOverHttp2 = new Attached<>();
    private final Runnable wake;

    /** @param http2 nothing else is spoken */
    private record Way(WeakReference<ClientTls> tls, boolean http2) {}

    /**
     * Of an endpoint, as the library has it.
     *
     * @param literal the same without the name, as it is in a URL
     * @param name null: plaintext
     */
    record Address(SocketAddress server, SocketAddress literal, String name) {
        private static Address of(byte[] ip, int port, String name) throws UnknownHostException {
            InetAddress address = InetAddress.getByAddress(ip);
            SocketAddress nameless = SocketAddress.inetSocketAddress(new InetSocketAddress(address, port));
            SocketAddress server = name == null
                    ? nameless
                    : SocketAddress.inetSocketAddress(new InetSocketAddress(InetAddress.getByAddress(name, ip), port));
            SocketAddress literal = address instanceof Inet6Address
                    ? SocketAddress.inetSocketAddress(port, "[" + address.getHostAddress() + "]")
                    : nameless;
            return new Address(server, literal, name);
        }
    }

    /** @param wake before the first connection */
    SecuredChannels(Runnable wake) {
        this.wake = wake;
    }

    /** Of connections that may share a pool, which tells addresses of one port apart by nothing else. */
    private static String name(ClientTls tls, boolean http2, byte[] ip) {
        return tls.id() + (http2 ? "-http2-" : "-") + HexFormat.of().formatHex(ip);
    }

    /** Where the library is to connect. */
    Address address(Endpoint endpoint, boolean http2) throws UnknownHostException {
        Attached<Address> all = http2 ? addressesOverHttp2 : addresses;
        Address known = all.of(endpoint);
        if (known == null) {
            known = named(endpoint, http2);
            all.put(endpoint, known);
        }
        return known;
    }

    private Address named(Endpoint endpoint, boolean http2) throws UnknownHostException {
        InetSocketAddress address = endpoint.address();
        byte[] ip = address.getAddress().getAddress();
        ClientTls tls = endpoint.tls();
        if (tls == null) {
            return Address.of(ip, address.getPort(), null);
        }
        String name = name(tls, http2, ip);
        if (!byName.containsKey(name)) {
            // First: whoever finds the name connects by it.
            wake.run();
            if (byName.put(name, new Way(new WeakReference<>(tls), http2)) == null) {
                dropped.then(tls, () -> byName.remove(name));
            }
        }
        return Address.of(ip, address.getPort(), name);
    }

    /** The library has looked up the address and has its name in the authority alone. */
    SocketAddress server(SocketAddress server, String name) throws UnknownHostException {
        if (!byName.containsKey(name) || server.hostAddress() == null) {
            return server;
        }
        byte[] ip = InetAddress.getByName(server.hostAddress()).getAddress();
        return SocketAddress.inetSocketAddress(new InetSocketAddress(InetAddress.getByAddress(name, ip), server.port()));
    }

    /** @return what Netty is to tell of the connection in place of the library */
    ChannelPromise connects(Channel channel, Object remote, ChannelPromise library) {
        if (!(remote instanceof InetSocketAddress address) || address.isUnresolved()) {
            return library;
        }
        Way way = byName.get(address.getHostString());
        ClientTls tls = way == null ? null : way.tls.get();
        if (tls == null) {
            return library;
        }
        InetSocketAddress peer = new InetSocketAddress(address.getAddress(), address.getPort());
        return secure(channel, tls, new SslHandler(way.http2 ? tls.http2Engine(peer) : tls.engine(peer)), peer, library);
    }

    private static ChannelPromise secure(
            Channel channel, ClientTls tls, SslHandler handler, InetSocketAddress peer, ChannelPromise library) {
        int limit = channel.config().getConnectTimeoutMillis();
        long began = System.nanoTime();
        handler.setHandshakeTimeoutMillis(limit);
        channel.pipeline().addFirst(TLS, handler).addAfter(TLS, HANDSHAKE, new Handshake());
        handler.handshakeFuture().addListener(handshake -> {
            if (handshake.isSuccess()) {
                channel.pipeline().remove(HANDSHAKE);
                SecuredChannel.begin(channel, tls);
                library.trySuccess();
            } else {
                library.tryFailure(failure(peer, handshake.cause()));
                channel.close();
            }
        });
        ChannelPromise connected = new DefaultChannelPromise(channel);
        connected.addListener(result -> {
            if (!result.isSuccess()) {
                library.tryFailure(result.cause());
            } else if (limit > 0) {
                // The rest is the handshake's, which begins after this.
                handler.setHandshakeTimeoutMillis(Math.max(1, limit - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)));
            }
        });
        library.addListener(result -> {
            if (result.isCancelled()) {
                connected.cancel(false);
                channel.close();
            }
        });
        return connected;
    }

    /** What goes wrong is told to whoever waits for the connection, and to nobody else. */
    private static final class Handshake extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable told) {}
    }

    private static ConnectException failure(InetSocketAddress peer, Throwable cause) {
        String endpoint = peer.getAddress().getHostAddress() + ":" + peer.getPort();
        ConnectException failure = new ConnectException(cause instanceof SslHandshakeTimeoutException
                ? "mesh TLS to " + endpoint + " timed out"
                : "mesh TLS to " + endpoint + " failed: " + innermost(cause));
        failure.initCause(cause);
        return failure;
    }

    // JSSE wraps what matters several layers deep.
    private static String innermost(Throwable cause) {
        Throwable inner = cause;
        while (inner.getCause() != null && (inner.getCause() instanceof IOException || !(inner instanceof IOException))) {
            inner = inner.getCause();
        }
        return inner.getMessage() == null ? inner.toString() : inner.getMessage();
    }
}
