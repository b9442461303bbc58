package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.ClientStatus;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** A message that is written down field by field, on the wire or as JSON; fields come in their order. */
interface MessageOut {

    /** What is written of a message. */
    interface Fields {
        void write(MessageOut out) throws IOException;
    }

    /** A message that is written by hand and packed. */
    record Packed(String typeUrl, Fields fields) {}

    void text(int number, String name, String value) throws IOException;

    /** As {@code envoy.admin.v3.ClientResourceStatus}. */
    void state(int number, String name, ClientStatus.State state) throws IOException;

    void time(int number, String name, Instant time) throws IOException;

    void message(int number, String name, Fields fields) throws IOException;

    void generated(int number, String name, MessageLite message) throws IOException;

    /** One that came packed. */
    void packed(int number, String name, String typeUrl, ByteString content) throws IOException;

    void each(int number, String name, List<Fields> messages) throws IOException;

    void eachPacked(int number, String name, List<Packed> messages) throws IOException;
}
