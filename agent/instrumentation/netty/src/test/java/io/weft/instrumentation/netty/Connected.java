package io.weft.instrumentation.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;

/** A channel with addresses of its own. */
final class Connected extends EmbeddedChannel {
    static final InetSocketAddress LOCAL = new InetSocketAddress("127.0.0.1", 8080);
    static final InetSocketAddress REMOTE = new InetSocketAddress("127.0.0.1", 40_000);

    Connected(ChannelHandler... handlers) {
        super(handlers);
    }

    @Override
    protected SocketAddress localAddress0() {
        return LOCAL;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return REMOTE;
    }

    String sent() {
        StringBuilder sent = new StringBuilder();
        for (ByteBuf bytes = readOutbound(); bytes != null; bytes = readOutbound()) {
            sent.append(bytes.toString(StandardCharsets.US_ASCII));
            bytes.release();
        }
        return sent.toString();
    }
}
