package io.weft.policy.xds;

import java.net.SocketAddress;

/** Called on the event loop. */
interface GrpcStreamListener {

    /** The server speaks HTTP/2 and the request's headers are on their way; messages can be sent from now on. */
    void opened(SocketAddress local);

    void message(byte[] message);

    /** The last call, exactly once, also for a stream that never opened; not while {@link GrpcConnector#open} runs. */
    void closed(GrpcStatus status);
}
