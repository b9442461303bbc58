package io.weft.instrumentation.armeriaclient;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.weft.dataplane.ClientTls;
import io.weft.instrumentation.SharedConnection;

/** What a channel of the library's remembers of mesh TLS. */
final class SecuredChannel {
    private static final AttributeKey<SharedConnection> KEY = AttributeKey.valueOf("weft.armeria");

    private SecuredChannel() {}

    static void begin(Channel channel, ClientTls tls) {
        channel.attr(KEY).set(new SharedConnection(tls, channel::close));
    }

    /** Null: it is not secured by the mesh. */
    static SharedConnection of(Channel channel) {
        return channel.attr(KEY).get();
    }
}
