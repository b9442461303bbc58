package io.weft.instrumentation.grpc;

import io.grpc.InternalMetadata;
import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.weft.dataplane.Headers;
import io.weft.dataplane.LocalReply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How a call ended, as the library has it and as HTTP has it.
 *
 * @param httpStatus as the mesh sees it
 */
record Answer(Status status, Metadata trailers, int httpStatus) {
    private static final String PSEUDO = ":status";

    /** The library leaves it in the metadata only when the answer was not one of gRPC. */
    private static final Metadata.Key<Integer> HTTP_STATUS = InternalMetadata.keyOf(PSEUDO, new Metadata.AsciiMarshaller<Integer>() {
        @Override
        public String toAsciiString(Integer status) {
            return status.toString();
        }

        @Override
        public Integer parseAsciiString(String status) {
            return Integer.valueOf(status);
        }
    });

    /** @return null: no peer has answered, the library made it up */
    static Answer ofPeer(Status status, Metadata trailers) {
        Integer http = trailers.containsKey(HTTP_STATUS) ? trailers.get(HTTP_STATUS) : null;
        if (http != null) {
            return new Answer(status, trailers, http);
        }
        return trailers.containsKey(GrpcUtil.CONTENT_TYPE_KEY) ? new Answer(status, trailers, 200) : null;
    }

    /** One that the mesh gives by itself: as the library would read it if a proxy had given it. */
    static Answer of(LocalReply reply) {
        List<byte[]> lines = new ArrayList<>();
        for (Map.Entry<String, String> header : reply.headers()) {
            lines.add(header.getKey().getBytes(StandardCharsets.US_ASCII));
            lines.add(header.getValue().getBytes(StandardCharsets.UTF_8));
        }
        Metadata trailers = InternalMetadata.newMetadata(lines.toArray(byte[][]::new));
        Status status = trailers.get(InternalStatus.CODE_KEY);
        if (status == null) {
            status = GrpcUtil.httpStatusToGrpcStatus(reply.status());
            String text = new String(reply.body(), StandardCharsets.UTF_8);
            status = text.isEmpty() ? status : status.augmentDescription(text);
        } else {
            status = status.withDescription(trailers.get(InternalStatus.MESSAGE_KEY));
        }
        trailers.discardAll(InternalStatus.CODE_KEY);
        trailers.discardAll(InternalStatus.MESSAGE_KEY);
        return new Answer(status, trailers, reply.status());
    }

    /** With what the library has taken out of them. */
    Headers headers() {
        Headers received = MetadataHeaders.view(trailers);
        return name -> switch (name) {
            case "grpc-status" -> httpStatus == 200 ? Integer.toString(status.getCode().value()) : null;
            case "grpc-message" -> httpStatus == 200 ? status.getDescription() : null;
            default -> received.header(name);
        };
    }
}
