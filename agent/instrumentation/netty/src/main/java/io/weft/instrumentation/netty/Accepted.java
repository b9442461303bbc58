package io.weft.instrumentation.netty;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;

/** What is known of a connection that a server channel has accepted, for as long as its channel is there. Used on the channel's event loop. */
final class Accepted {
    /** Its value is another class's where Netty is shared by apps that have HTTP of their own. */
    private static final AttributeKey<Object> KEY = AttributeKey.valueOf("weft");

    private final Listening listening;
    /** Null: it is not active yet. */
    private InboundConnection connection;
    /** The app's own is on it. */
    private boolean ownTls;
    private Inbound.Port port;
    /** Null: it speaks no HTTP/2, as far as is known. */
    private Http2Connection http2;

    /** Tells the caller on the connection to use another one. On the channel's event loop. */
    @FunctionalInterface
    interface Http2Connection {
        void goAway();
    }

    Accepted(Listening listening) {
        this.listening = listening;
    }

    /** @return null: it is no connection that was accepted, or one within such a connection */
    static Accepted of(Channel channel) {
        return channel.hasAttr(KEY) && channel.attr(KEY).get() instanceof Accepted accepted ? accepted : null;
    }

    void attachTo(Channel channel) {
        channel.attr(KEY).set(this);
    }

    void begun(InboundConnection accepted, boolean hasOwnTls) {
        connection = accepted;
        ownTls = hasOwnTls;
    }

    InboundConnection connection() {
        return connection;
    }

    boolean hasOwnTls() {
        return ownTls;
    }

    /** For its requests. */
    Inbound.Port port() {
        if (port == null) {
            port = listening.portOf(this);
        }
        return port;
    }

    Http2Connection http2() {
        return http2;
    }

    void speaksHttp2(Channel channel, Http2Connection streams) {
        http2 = streams;
        listening.speaksHttp2(channel);
    }
}
