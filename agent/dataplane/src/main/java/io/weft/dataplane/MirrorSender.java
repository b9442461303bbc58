package io.weft.dataplane;

/** Sends mirrored requests over the agent's own connections and throws the responses away. Thread-safe. */
@FunctionalInterface
public interface MirrorSender {
    /**
     * Drives the request as a library's adapter does, up to {@link MirroredRequest#finish}, on a thread of its own. Returns at once.
     */
    void send(MirroredRequest request);
}
