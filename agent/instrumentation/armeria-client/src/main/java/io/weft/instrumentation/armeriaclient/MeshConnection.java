package io.weft.instrumentation.armeriaclient;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;

/** A secured connection in a pool of the library's, on which several requests may be at once. Thread-safe. */
final class MeshConnection {
    /** Its value is another class's where Netty is shared by apps that have Armeria of their own. */
    private static final AttributeKey<Object> KEY = AttributeKey.valueOf("weft.armeria");

    private final ClientTls tls;
    private final ClientConnection connection;
    private final long openedNanos = System.nanoTime();
    /** Guarded by this. */
    private int requests;
    private boolean used;

    private MeshConnection(ClientTls tls, ClientConnection connection) {
        this.tls = tls;
        this.connection = connection;
    }

    static void begin(Channel channel, ClientTls tls) {
        channel.attr(KEY).set(new MeshConnection(tls, tls.connections().opened(channel::close)));
    }

    /** Null: it is not secured by the mesh. */
    static MeshConnection of(Channel channel) {
        return channel.attr(KEY).get() instanceof MeshConnection connection ? connection : null;
    }

    boolean isSecuredBy(ClientTls wanted) {
        return tls == wanted;
    }

    /**
     * A request is given it.
     *
     * @param waitsSince by the clock of {@link System#nanoTime}. Whoever has waited for it gets it, whatever has become of it meanwhile: the
     *     next one would be no better
     * @return false: it is closed, or to be closed by the caller
     */
    synchronized boolean lease(long waitsSince) {
        boolean good = requests > 0 || !used && waitsSince - openedNanos < 0 || connection.lease();
        used = true;
        if (good) {
            requests++;
        }
        return good;
    }

    /** After each request that was given it. @return false: it is to be closed by the caller */
    synchronized boolean giveBack() {
        return --requests > 0 || connection.giveBack();
    }
}
