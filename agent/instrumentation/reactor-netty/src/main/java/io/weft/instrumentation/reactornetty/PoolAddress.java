package io.weft.instrumentation.reactornetty;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Of a pool of connections to an endpoint: what the app has set for the pool of its own address holds for that, too. */
final class PoolAddress extends InetSocketAddress {
    private static final long serialVersionUID = 1;

    private final InetSocketAddress apps;

    /** @param apps where the app's request would go */
    PoolAddress(InetAddress address, int port, InetSocketAddress apps) {
        super(address, port);
        this.apps = apps;
    }

    InetSocketAddress apps() {
        return apps;
    }
}
