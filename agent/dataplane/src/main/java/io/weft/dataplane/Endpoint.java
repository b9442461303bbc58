package io.weft.dataplane;

import java.net.InetSocketAddress;

/** One instance of a service, as this JVM sees it. Lives as long as the control plane lists it under the same cluster. */
public final class Endpoint {
    private final InetSocketAddress address;

    /** @param address resolved */
    public Endpoint(InetSocketAddress address) {
        this.address = address;
    }

    /** Resolved. */
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public String toString() {
        return address.toString();
    }
}
