package io.weft.instrumentation.netty;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.weft.dataplane.Inbound;
import io.weft.instrumentation.AdapterContext;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * First in the pipeline of a server channel: the port that it has, from when it is bound to when it is about to close, and what it accepts.
 * Channels of no network have no port, and what they accept is nobody's business.
 */
final class Listening extends ChannelDuplexHandler {
    static final String NAME = "weft-listening";
    private static final String OWN_PACKAGE = Listening.class.getPackageName() + '.';

    private final AdapterContext context;
    private final Protocols protocols;
    /** Connections over which HTTP/2 is spoken. */
    private final Set<Channel> http2 = ConcurrentHashMap.newKeySet();
    /** Null: it has none. */
    private volatile Inbound.Port port;
    private volatile InetSocketAddress address;
    private volatile boolean ownTls;
    /** It was bound before the agent came. */
    private final boolean found;

    Listening(AdapterContext context, Protocols protocols, boolean found) {
        this.context = context;
        this.protocols = protocols;
        this.found = found;
    }

    /** It is bound, and accepts nothing before this returns. */
    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        bound(ctx.channel());
        ctx.fireChannelActive();
    }

    void bound(Channel server) {
        if (port == null && server.localAddress() instanceof InetSocketAddress inet) {
            address = inet;
            open(false);
            server.closeFuture().addListener(closed -> close());
        }
    }

    private void open(boolean tls) {
        Inbound.Port opened = found ? context.inbound().found("netty", address, tls) : context.inbound().opened("netty", address, tls);
        opened.ownRequest(Listening::servesHere);
        opened.onDrain(() -> http2.forEach(Listening::goAway));
        port = opened;
    }

    private void close() {
        Inbound.Port opened = port;
        if (opened != null) {
            opened.close();
        }
    }

    /** On the way to the app's handler. Where that hands the request to another thread, it cannot be told which one. */
    private static boolean servesHere() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().startsWith(OWN_PACKAGE)
                && frame.getMethodName().equals("handOver")));
    }

    private static void goAway(Channel channel) {
        channel.eventLoop().execute(() -> {
            Accepted accepted = Accepted.of(channel);
            if (accepted != null && accepted.http2() != null) {
                accepted.http2().goAway();
            }
        });
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof Channel child) {
            accepted(child);
        }
        ctx.fireChannelRead(message);
    }

    /** Before the app's server has put anything into its pipeline. */
    void accepted(Channel child) {
        if (port == null) {
            return;
        }
        Accepted accepted = new Accepted(this);
        accepted.attachTo(child);
        child.pipeline().addFirst(Gate.NAME, new Gate(context, protocols, this, accepted));
    }

    /** A connection has the app's own TLS: so has the port, as far as others are concerned. */
    void foundOwnTls() {
        if (ownTls) {
            return;
        }
        ownTls = true;
        Inbound.Port before = port;
        open(true);
        before.close();
    }

    Inbound.Port portOf(Accepted accepted) {
        return accepted.hasOwnTls() == ownTls ? port : context.inbound().unregistered(address.getPort(), accepted.hasOwnTls());
    }

    void speaksHttp2(Channel channel) {
        if (http2.add(channel)) {
            channel.closeFuture().addListener(closed -> http2.remove(channel));
        }
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        close();
        ctx.close(promise);
    }
}
