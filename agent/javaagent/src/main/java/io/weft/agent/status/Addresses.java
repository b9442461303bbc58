package io.weft.agent.status;

import java.net.InetSocketAddress;

final class Addresses {
    private Addresses() {}

    /** Without the host name that an address may carry, and without looking one up. */
    static String text(InetSocketAddress address) {
        if (address.isUnresolved()) {
            return address.getHostString() + ":" + address.getPort();
        }
        String host = address.getAddress().getHostAddress();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + address.getPort();
    }
}
