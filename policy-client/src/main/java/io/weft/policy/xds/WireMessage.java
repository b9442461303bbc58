package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.weft.policy.ClientStatus;
import io.weft.policy.PolicyClientStatus.Refusal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;

/** Protobuf's messages written by hand, where generated ones would bring all of Envoy's with them. */
final class WireMessage {

    interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private WireMessage() {}

    static byte[] of(Fields fields) {
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

    /** {@code google.protobuf.Any}. */
    static byte[] any(String typeUrl, ByteString content) {
        return of(any -> {
            any.writeString(1, typeUrl);
            any.writeBytes(2, content);
        });
    }

    /** {@code google.protobuf.Timestamp}. */
    static byte[] timestamp(Instant time) {
        return of(timestamp -> {
            timestamp.writeInt64(1, time.getEpochSecond());
            timestamp.writeInt32(2, time.getNano());
        });
    }

    /** {@code envoy.admin.v3.UpdateFailureState}. */
    static byte[] failure(Refusal refusal) {
        return of(failure -> {
            failure.writeByteArray(2, timestamp(refusal.since()));
            failure.writeString(3, details(refusal));
        });
    }

    static String details(Refusal refusal) {
        return refusal.path().isEmpty() ? refusal.reason() : refusal.path() + ": " + refusal.reason();
    }

    /** {@code envoy.admin.v3.ClientResourceStatus}. */
    static int number(ClientStatus.State state) {
        return switch (state) {
            case REQUESTED -> 1;
            case DOES_NOT_EXIST -> 2;
            case ACKED -> 3;
            case NACKED -> 4;
        };
    }
}
