package io.weft.policy.xds;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.ClientStatus;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;

/** As Protobuf's JSON with the fields' own names, which is how an Envoy writes it. */
record JsonOut(JsonGenerator json, MessageJson messages) implements MessageOut {
    private static final JsonFactory JSON = new JsonFactory();

    static String of(Fields fields) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            fields.write(new JsonOut(json, new MessageJson(json)));
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    @Override
    public void text(int number, String name, String value) throws IOException {
        if (!value.isEmpty()) {
            json.writeStringField(name, value);
        }
    }

    @Override
    public void state(int number, String name, ClientStatus.State state) throws IOException {
        json.writeStringField(name, state.name());
    }

    @Override
    public void time(int number, String name, Instant time) throws IOException {
        json.writeStringField(name, time.toString());
    }

    @Override
    public void message(int number, String name, Fields fields) throws IOException {
        json.writeObjectFieldStart(name);
        fields.write(this);
        json.writeEndObject();
    }

    @Override
    public void generated(int number, String name, MessageLite message) throws IOException {
        json.writeFieldName(name);
        messages.value(message);
    }

    @Override
    public void packed(int number, String name, String typeUrl, ByteString content) throws IOException {
        json.writeFieldName(name);
        messages.packed(typeUrl, content);
    }

    @Override
    public void each(int number, String name, List<Fields> all) throws IOException {
        if (all.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart(name);
        for (Fields fields : all) {
            json.writeStartObject();
            fields.write(this);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    @Override
    public void eachPacked(int number, String name, List<Packed> all) throws IOException {
        json.writeArrayFieldStart(name);
        for (Packed packed : all) {
            json.writeStartObject();
            json.writeStringField("@type", packed.typeUrl());
            packed.fields().write(this);
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
