package io.weft.policy.xds;

/** One call on a connection of its own. Used on the event loop only. */
interface GrpcStream {

    /** Queues a message. After the end of the stream it does nothing. */
    void send(byte[] message);

    /** Nothing more is to be said; what the server answers still comes. */
    void halfClose();

    /** Tells the server that nothing more is to be said, then does as {@link #cancel}: no loss, but a farewell. */
    void finish();

    /** Ends the stream and its connection. The listener is told. */
    void cancel(GrpcStatus why);
}
