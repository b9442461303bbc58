package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.weft.policy.ClientStatus;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** On the wire, where fields have numbers. */
record WireOut(CodedOutputStream out) implements MessageOut {

    static byte[] of(Fields fields) {
        return WireMessage.of(out -> fields.write(new WireOut(out)));
    }

    @Override
    public void text(int number, String name, String value) throws IOException {
        out.writeString(number, value);
    }

    @Override
    public void state(int number, String name, ClientStatus.State state) throws IOException {
        out.writeEnum(number, WireMessage.number(state));
    }

    @Override
    public void time(int number, String name, Instant time) throws IOException {
        out.writeByteArray(number, WireMessage.timestamp(time));
    }

    @Override
    public void message(int number, String name, Fields fields) throws IOException {
        out.writeByteArray(number, of(fields));
    }

    @Override
    public void generated(int number, String name, MessageLite message) throws IOException {
        out.writeMessage(number, message);
    }

    @Override
    public void packed(int number, String name, String typeUrl, ByteString content) throws IOException {
        out.writeByteArray(number, WireMessage.any(typeUrl, content));
    }

    @Override
    public void each(int number, String name, List<Fields> messages) throws IOException {
        for (Fields fields : messages) {
            message(number, name, fields);
        }
    }

    @Override
    public void eachPacked(int number, String name, List<Packed> messages) throws IOException {
        for (Packed packed : messages) {
            packed(number, name, packed.typeUrl(), ByteString.copyFrom(of(packed.fields())));
        }
    }
}
