package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import io.netty.channel.Channel;
import io.netty.util.NetUtil;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** From a host of the app's URLs to an endpoint: what connections of the library's pools have in common. Does not hold the endpoint. Thread-safe. */
final class Way {
    private final RequestKey key;
    private final InetSocketAddress address;
    private final InetSocketAddress peer;
    private final ClientTls tls;
    private final Set<Channel> channels = ConcurrentHashMap.newKeySet();
    private volatile int connectMillis;
    private volatile boolean gone;

    /** @param key by which the library's pool has connections to it */
    Way(RequestKey key, Destination from, Endpoint to) {
        this.key = key;
        this.address = named(from.host(), to.address());
        this.peer = to.address();
        this.tls = to.tls();
    }

    /** To be called so by the library: as by the name in the app's URL. */
    private static InetSocketAddress named(String host, InetSocketAddress endpoint) {
        byte[] ip = endpoint.getAddress().getAddress();
        boolean isName = host.indexOf(':') < 0 && !NetUtil.isValidIpV4Address(host);
        try {
            return new InetSocketAddress(isName ? InetAddress.getByAddress(host, ip) : InetAddress.getByAddress(ip), endpoint.getPort());
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    RequestKey key() {
        return key;
    }

    InetSocketAddress address() {
        return address;
    }

    /** The endpoint's own. */
    InetSocketAddress peer() {
        return peer;
    }

    /** Null: plaintext. */
    ClientTls tls() {
        return tls;
    }

    /** As policy has it for the attempt that is about to need a connection. */
    void connectWithin(int millis) {
        if (connectMillis != millis) {
            connectMillis = millis;
        }
    }

    int connectMillis() {
        return connectMillis;
    }

    void opened(Channel channel) {
        channels.add(channel);
        channel.closeFuture().addListener(closed -> channels.remove(channel));
        if (gone) {
            channel.close();
        }
    }

    /** Whoever has a connection to it closes it after the request. */
    boolean isGone() {
        return gone;
    }

    /** The endpoint is no more: nobody asks for these connections again. */
    void goes() {
        gone = true;
        for (Channel channel : channels) {
            channel.eventLoop().execute(() -> {
                if (channel.pipeline().get(OnChannel.NAME) == null) {
                    channel.close();
                }
            });
        }
    }
}
