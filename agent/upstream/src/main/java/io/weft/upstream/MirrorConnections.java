package io.weft.upstream;

import io.weft.dataplane.MirroredRequest;

/** To one endpoint. For the event loop. */
interface MirrorConnections {
    /** @param request after {@code DIAL}; it is finished in the end */
    void send(MirroredRequest request);
}
