package io.weft.policy.xds;

import io.weft.policy.Node;
import io.weft.policy.proto.envoy.config.core.v3.Locality;
import io.weft.policy.proto.protobuf.ListValue;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Value;
import java.util.List;
import java.util.Map;

/** {@link Node} as {@code envoy.config.core.v3.Node}. */
final class NodeMessage {
    private NodeMessage() {}

    private static final String IDENTITY = "weft.identity";

    /**
     * @param identity the SPIFFE ID of a certificate that this process can show; empty: it has none
     * @throws IllegalArgumentException the metadata holds a value that JSON cannot express
     */
    static io.weft.policy.proto.envoy.config.core.v3.Node of(Node node, String identity) {
        Struct.Builder metadata = struct(node.metadata()).toBuilder();
        if (!identity.isEmpty()) {
            metadata.putFields(IDENTITY, value(identity));
        }
        return io.weft.policy.proto.envoy.config.core.v3.Node.newBuilder()
                .setId(node.id())
                .setCluster(node.cluster())
                .setLocality(Locality.newBuilder()
                        .setRegion(node.locality().region())
                        .setZone(node.locality().zone())
                        .setSubZone(node.locality().subZone()))
                .setUserAgentName("weft")
                .setMetadata(metadata)
                .build();
    }

    private static Struct struct(Map<?, ?> fields) {
        Struct.Builder struct = Struct.newBuilder();
        fields.forEach((name, value) -> struct.putFields((String) name, value(value)));
        return struct.build();
    }

    private static Value value(Object value) {
        Value.Builder builder = Value.newBuilder();
        if (value instanceof String text) {
            builder.setStringValue(text);
        } else if (value instanceof Number number) {
            builder.setNumberValue(number.doubleValue());
        } else if (value instanceof Boolean bool) {
            builder.setBoolValue(bool);
        } else if (value instanceof Map<?, ?> map) {
            builder.setStructValue(struct(map));
        } else if (value instanceof List<?> list) {
            ListValue.Builder values = ListValue.newBuilder();
            list.forEach(element -> values.addValues(value(element)));
            builder.setListValue(values);
        } else {
            throw new IllegalArgumentException("node metadata value " + value + " is not a JSON value");
        }
        return builder.build();
    }
}
