package io.weft.instrumentation.micronauthttpclient;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.weft.dataplane.ClientTls;
import io.weft.instrumentation.ConnectionLease;

/** A connection by mesh TLS in a pool of the library's. Thread-safe. */
final class SecuredConnection {
    /** Its value is another class's where Netty is shared by apps that have Micronaut of their own. */
    private static final AttributeKey<Object> KEY = AttributeKey.valueOf("weft.micronaut-http-client");

    private final ClientTls tls;
    private final ConnectionLease lease = new ConnectionLease();
    private volatile long openedNanos;

    private SecuredConnection(ClientTls tls) {
        this.tls = tls;
    }

    /** The handshake is done. */
    static void begin(Channel channel, ClientTls tls) {
        SecuredConnection connection = new SecuredConnection(tls);
        connection.lease.opened(tls, channel, Channel::close);
        connection.openedNanos = System.nanoTime();
        channel.attr(KEY).set(connection);
    }

    /** Null: it is not secured by the mesh. */
    static SecuredConnection of(Channel channel) {
        return channel.attr(KEY).get() instanceof SecuredConnection connection ? connection : null;
    }

    boolean isSecuredBy(ClientTls wanted) {
        return tls == wanted;
    }

    /**
     * For a request.
     *
     * @param waitsSince by the clock of {@link System#nanoTime}. Whoever has waited for it gets it, whatever has become of it meanwhile: the
     *     next one would be no better
     * @return false: it is to be closed
     */
    boolean lease(long waitsSince) {
        return (waitsSince - openedNanos < 0 || lease.handedOver()) && lease.begin();
    }

    /** The request is over, before the pool hears of that. @return false: it is to be closed */
    boolean giveBack() {
        return lease.end();
    }
}
