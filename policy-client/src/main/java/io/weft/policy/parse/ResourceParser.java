package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryResponse;
import java.util.List;

/** Parses resources. Stateless; never throws for what a control plane sent. */
public final class ResourceParser {
    private ResourceParser() {}

    /**
     * The resources of a state-of-the-world response, in order, bare or wrapped in {@code envoy.service.discovery.v3.Resource}.
     * A name that occurs twice is refused the second time.
     */
    public static List<ParseOutcome> parse(ResourceType type, DiscoveryResponse response) {
        throw new UnsupportedOperationException("parser");
    }

    /** The resources of a delta response, in order; those without a body (heartbeats) are left out. */
    public static List<ParseOutcome> parse(ResourceType type, DeltaDiscoveryResponse response) {
        throw new UnsupportedOperationException("parser");
    }

    /** One resource as the cache kept it. */
    public static ParseOutcome parse(RawResource raw) {
        throw new UnsupportedOperationException("parser");
    }

    /** @param bytes the serialised message, without its {@code Any} */
    static ParseOutcome parse(ResourceType type, String version, ByteString bytes) {
        throw new UnsupportedOperationException("parser");
    }
}
