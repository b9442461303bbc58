package io.weft.instrumentation.asynchttpclient;

import org.asynchttpclient.channel.ChannelPoolPartitioning;
import org.asynchttpclient.proxy.ProxyServer;
import org.asynchttpclient.uri.Uri;

/** The app's own, in a response's future, which leads to what the mesh does with it. Thread-safe. */
final class Partitioning implements ChannelPoolPartitioning {
    private final ChannelPoolPartitioning apps;
    private volatile Hop hop;
    /** After a fault of the agent's: the next hop is the library's. */
    private volatile boolean leaving;

    Partitioning(ChannelPoolPartitioning apps) {
        this.apps = apps;
    }

    @Override
    public Object getPartitionKey(Uri uri, String virtualHost, ProxyServer proxy) {
        return apps.getPartitionKey(uri, virtualHost, proxy);
    }

    /** Null: the library is at it by itself. */
    Hop hop() {
        return hop;
    }

    void is(Hop current) {
        hop = current;
    }

    void leave() {
        hop = null;
        leaving = true;
    }

    boolean leaves() {
        boolean now = leaving;
        leaving = false;
        return now;
    }
}
