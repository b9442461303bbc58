package io.weft.policy.parse;

import com.google.protobuf.ByteString;

/**
 * A resource as it came.
 *
 * @param version opaque to the client
 * @param bytes the serialised message, without its {@code Any}
 */
public record RawResource(ResourceType type, String name, String version, ByteString bytes) {}
