package io.weft.policy.xds;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.weft.policy.ClientStatus;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import java.io.IOException;
import java.util.List;

/**
 * {@code envoy.service.status.v3.ClientStatusRequest} and {@code ClientStatusResponse} on the wire. Written by hand: generated, they would
 * bring the messages of Envoy's whole config dump.
 */
final class ClientStatusMessage {
    private static final int NODE_MATCHERS = 1;
    private static final int EXCLUDE_RESOURCE_CONTENTS = 3;

    private ClientStatusMessage() {}

    /**
     * @return whether resources are wanted with their contents
     * @throws IllegalArgumentException it is no such message, or asks for what is not there
     */
    static boolean wantsContents(byte[] request) {
        CodedInputStream in = CodedInputStream.newInstance(request);
        boolean contents = true;
        try {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                int field = WireFormat.getTagFieldNumber(tag);
                if (field == NODE_MATCHERS) {
                    throw new IllegalArgumentException("node_matchers are for management servers: there is one node here, ask without them");
                }
                if (field == EXCLUDE_RESOURCE_CONTENTS && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
                    contents = !in.readBool();
                } else if (!in.skipField(tag)) {
                    throw new IllegalArgumentException("no ClientStatusRequest");
                }
            }
        } catch (IOException unreadable) {
            throw new IllegalArgumentException("no ClientStatusRequest: " + unreadable.getMessage(), unreadable);
        }
        return contents;
    }

    /** With one {@code ClientConfig}. */
    static byte[] response(Node node, List<HeldResources.Held> resources, boolean contents) {
        return WireMessage.of(response -> response.writeByteArray(1, WireMessage.of(config -> {
            config.writeByteArray(1, node.toByteArray());
            for (HeldResources.Held resource : resources) {
                config.writeByteArray(3, generic(resource, contents));
            }
        })));
    }

    private static byte[] generic(HeldResources.Held resource, boolean contents) {
        ClientStatus.Resource status = resource.status();
        return WireMessage.of(out -> {
            out.writeString(1, status.typeUrl());
            out.writeString(2, status.name());
            out.writeString(3, status.version());
            if (contents && !resource.content().isEmpty()) {
                out.writeByteArray(4, WireMessage.any(status.typeUrl(), resource.content()));
            }
            if (status.updated().isPresent()) {
                out.writeByteArray(5, WireMessage.timestamp(status.updated().get()));
            }
            out.writeEnum(7, WireMessage.number(status.state()));
            if (status.refusal().isPresent()) {
                out.writeByteArray(8, WireMessage.failure(status.refusal().get()));
            }
        });
    }
}
