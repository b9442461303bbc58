package io.weft.controlplane.xds;

import io.weft.controlplane.xds.NodeStream.View;
import java.util.Optional;

/**
 * What one stream has asked for and been told of one type. At most one response is under way: from the moment it is sent until
 * the reader accepts or refuses it changes add up.
 *
 * <p>Guarded by the stream's lock.
 */
interface Subscription {

    /** Sends what the reader lacks, if it is ready to be told; nothing if it lacks nothing. */
    void respond(View view);

    /** Whether the reader has been told everything and has answered. */
    boolean settled(View view);

    /**
     * The reader's answer to a response.
     *
     * @param refusal empty: it accepts it
     */
    void answered(String nonce, Optional<String> refusal);

    /** What the reader has said of what it refused last; empty when nothing is refused but what it has accepted since, or needs no more. */
    Optional<String> refusal();

    /** Whether something older than what it was told last is in force at the reader, because it refused that. */
    default boolean refused() {
        return refusal().isPresent();
    }

    /** The stream is over. */
    default void end() {}

    /** Whether the reader has been told of this resource; it may not have answered yet. */
    boolean told(String name);
}
