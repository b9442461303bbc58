package io.weft.dataplane.jwt;

/** Where a provider's keys come from. Thread-safe. */
interface KeySource {

    /** The newest; {@link JsonWebKeys#NONE} without any. Does not block. */
    JsonWebKeys keys();

    /** Whether there will be keys or a failure soon, so that a request that needs them should wait. */
    boolean pending();

    /** What a token is answered while there are no keys. */
    JwtStatus withoutKeys();
}
