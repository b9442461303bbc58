package io.weft.dataplane;

import java.net.InetSocketAddress;

/**
 * One instance of a service and the way to it, as this JVM sees it. Lives as long as the control plane lists it under the same
 * cluster and it is secured in the same way: what is pooled by it is never used for another identity.
 */
public final class Endpoint {
    private final InetSocketAddress address;
    private final ClientTls tls;

    /**
     * @param address resolved
     * @param tls null: plaintext
     */
    public Endpoint(InetSocketAddress address, ClientTls tls) {
        this.address = address;
        this.tls = tls;
    }

    /** Resolved. */
    public InetSocketAddress address() {
        return address;
    }

    /** Null: plaintext, since policy says so. */
    public ClientTls tls() {
        return tls;
    }

    @Override
    public String toString() {
        return address.toString();
    }
}
