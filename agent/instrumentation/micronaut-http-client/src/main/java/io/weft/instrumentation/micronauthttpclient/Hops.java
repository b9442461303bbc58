package io.weft.instrumentation.micronauthttpclient;

import io.netty.handler.codec.http.HttpRequest;
import io.weft.instrumentation.AdapterContext;
import java.net.InetSocketAddress;

/** What all requests over one channel of the mesh's have in common. */
record Hops(AdapterContext context, Internals internals, Ways ways, Object connections, Destination destination) {

    Hop begin(MeshChannel channel, HttpRequest request) {
        return new Hop(this, channel, request);
    }

    InetSocketAddress address() {
        return destination.address();
    }
}
