package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.weft.policy.ClientStatus;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
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
        return message(response -> response.writeByteArray(1, message(config -> {
            config.writeByteArray(1, node.toByteArray());
            for (HeldResources.Held resource : resources) {
                config.writeByteArray(3, generic(resource, contents));
            }
        })));
    }

    private static byte[] generic(HeldResources.Held resource, boolean contents) {
        ClientStatus.Resource status = resource.status();
        return message(out -> {
            out.writeString(1, status.typeUrl());
            out.writeString(2, status.name());
            out.writeString(3, status.version());
            if (contents && !resource.content().isEmpty()) {
                out.writeByteArray(4, any(status.typeUrl(), resource.content()));
            }
            if (status.updated().isPresent()) {
                out.writeByteArray(5, timestamp(status.updated().get()));
            }
            out.writeEnum(7, number(status.state()));
            if (status.refusal().isPresent()) {
                out.writeByteArray(8, failure(status.refusal().get()));
            }
        });
    }

    private static int number(ClientStatus.State state) {
        return switch (state) {
            case REQUESTED -> 1;
            case DOES_NOT_EXIST -> 2;
            case ACKED -> 3;
            case NACKED -> 4;
        };
    }

    private static byte[] any(String typeUrl, ByteString content) {
        return message(any -> {
            any.writeString(1, typeUrl);
            any.writeBytes(2, content);
        });
    }

    private static byte[] failure(Refusal refusal) {
        return message(failure -> {
            failure.writeByteArray(2, timestamp(refusal.since()));
            failure.writeString(3, refusal.path().isEmpty() ? refusal.reason() : refusal.path() + ": " + refusal.reason());
        });
    }

    private static byte[] timestamp(Instant time) {
        return message(timestamp -> {
            timestamp.writeInt64(1, time.getEpochSecond());
            timestamp.writeInt32(2, time.getNano());
        });
    }

    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            fields.write(out);
            out.flush();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }
}
