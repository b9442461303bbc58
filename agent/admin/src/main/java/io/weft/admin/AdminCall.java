package io.weft.admin;

import java.util.concurrent.CompletionStage;

/** A method of gRPC: each message that comes is answered with one, on whatever thread. */
@FunctionalInterface
public interface AdminCall {

    /**
     * On the admin socket's thread, which it must not block.
     *
     * @return fails with an {@link IllegalArgumentException} where the fault is the asker's own
     */
    CompletionStage<byte[]> answer(byte[] message);
}
