package io.weft.policy.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.Health;
import io.weft.policy.proto.envoy.config.core.v3.Node;

/** What is said on one ADS stream, in one of the two variants of xDS. Confined to the event loop. */
interface AdsSession {

    /** The stream is open: sends the first requests. */
    void begin(Node node);

    /**
     * Takes a response in and answers it.
     *
     * @return whether all of it was accepted
     * @throws InvalidProtocolBufferException not a discovery response at all
     */
    boolean received(byte[] message) throws InvalidProtocolBufferException;

    /** Tells the control plane what the node is now. */
    void announce(Node node);

    /** Tells istiod how the node is; not before {@link #begin}: it does not listen to that from whom it does not know. */
    void tell(Health health);

    /** The stream is over. */
    void end();
}
