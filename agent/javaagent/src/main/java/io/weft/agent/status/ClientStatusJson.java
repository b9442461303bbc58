package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.policy.ClientStatus;
import io.weft.policy.PolicyClientStatus.Refusal;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/**
 * {@code envoy.service.status.v3.ClientStatusResponse} in Protobuf's JSON, without the contents of resources: to write those takes the
 * descriptors of all of Envoy's messages.
 */
final class ClientStatusJson {
    private static final JsonFactory JSON = new JsonFactory();

    private ClientStatusJson() {}

    static String of(ClientStatus status) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeArrayFieldStart("config");
            json.writeStartObject();
            json.writeObjectFieldStart("node");
            json.writeStringField("id", status.node());
            json.writeStringField("cluster", status.cluster());
            json.writeEndObject();
            json.writeArrayFieldStart("genericXdsConfigs");
            for (ClientStatus.Resource resource : status.resources()) {
                resource(json, resource);
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    private static void resource(JsonGenerator json, ClientStatus.Resource resource) throws IOException {
        json.writeStartObject();
        json.writeStringField("typeUrl", resource.typeUrl());
        json.writeStringField("name", resource.name());
        if (!resource.version().isEmpty()) {
            json.writeStringField("versionInfo", resource.version());
        }
        if (resource.updated().isPresent()) {
            json.writeStringField("lastUpdated", resource.updated().get().toString());
        }
        json.writeStringField("clientStatus", resource.state().name());
        if (resource.refusal().isPresent()) {
            Refusal refusal = resource.refusal().get();
            json.writeObjectFieldStart("errorState");
            json.writeStringField("lastUpdateAttempt", refusal.since().toString());
            json.writeStringField("details", refusal.path().isEmpty() ? refusal.reason() : refusal.path() + ": " + refusal.reason());
            json.writeEndObject();
        }
        json.writeEndObject();
    }
}
