package io.weft.policy.xds;

import java.net.InetSocketAddress;

/** Called on the event loop. */
interface GrpcStreamListener {

    /** The control plane speaks HTTP/2 and the request's headers are on their way; messages can be sent from now on. */
    void opened(InetSocketAddress local);

    void message(byte[] message);

    /** The last call, exactly once, also for a stream that never opened; not while {@link GrpcConnector#open} runs. */
    void closed(GrpcStatus status);
}
