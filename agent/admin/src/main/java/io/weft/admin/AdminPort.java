package io.weft.admin;

import io.netty.channel.Channel;
import java.net.InetSocketAddress;

/** A TCP port on which some pages are answered, too. */
public final class AdminPort implements AutoCloseable {
    private final Channel channel;

    AdminPort(Channel channel) {
        this.channel = channel;
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    /** Nobody else is answered there. Waits until the port is free. */
    @Override
    public void close() {
        channel.close().awaitUninterruptibly();
    }
}
