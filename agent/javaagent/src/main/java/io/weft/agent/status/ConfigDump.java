package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.policy.model.JwtAuthentication.InlineKeys;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.security.Key;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The policy in force, as it was understood: each record with the names of its fields, each kind of a thing by its name. Of secrets
 * there is only what may be seen; a key is never written, wherever it should be.
 */
final class ConfigDump {
    private static final JsonFactory JSON = new JsonFactory();

    private final JsonGenerator json;

    private ConfigDump(JsonGenerator json) {
        this.json = json;
    }

    static String of(PolicySnapshot policy) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
            new ConfigDump(json).write(policy);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    private void write(PolicySnapshot policy) throws IOException {
        json.writeStartObject();
        json.writeNumberField("generation", policy.generation());
        resources("listeners", policy.listeners());
        resources("routeConfigurations", policy.routeConfigurations());
        resources("clusters", policy.clusters());
        resources("endpoints", policy.assignments());
        json.writeFieldName("secrets");
        json.writeStartArray();
        for (Secret secret : new TreeMap<>(policy.secrets()).values()) {
            json.writeStartObject();
            json.writeStringField("name", secret.name());
            json.writeStringField("content", secret.content().getClass().getSimpleName());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeFieldName("unhonoured");
        value(policy.unhonoured());
        json.writeEndObject();
    }

    private void resources(String name, Map<String, ?> byName) throws IOException {
        json.writeFieldName(name);
        value(new TreeMap<>(byName).values());
    }

    private void value(Object value) throws IOException {
        if (value == null) {
            json.writeNull();
        } else if (value instanceof Optional<?> optional) {
            value(optional.orElse(null));
        } else if (value instanceof OptionalInt optional) {
            value(optional.isPresent() ? optional.getAsInt() : null);
        } else if (value instanceof Key || value instanceof InlineKeys keys && keys.holdsSecret()) {
            json.writeString("[redacted]");
        } else if (value instanceof X509Certificate certificate) {
            json.writeString(certificate.getSubjectX500Principal().getName());
        } else if (value instanceof Record fields) {
            fields(fields);
        } else if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                json.writeFieldName(entry.getKey().toString());
                value(entry.getValue());
            }
            json.writeEndObject();
        } else if (value instanceof Collection<?> values) {
            json.writeStartArray();
            for (Object element : values) {
                value(element);
            }
            json.writeEndArray();
        } else if (value instanceof Number number) {
            json.writeNumber(number.toString());
        } else if (value instanceof Boolean truth) {
            json.writeBoolean(truth);
        } else {
            json.writeString(value.toString());
        }
    }

    private void fields(Record fields) throws IOException {
        json.writeStartObject();
        if (fields.getClass().getInterfaces().length > 0) {
            json.writeStringField("@type", fields.getClass().getSimpleName());
        }
        for (RecordComponent component : fields.getClass().getRecordComponents()) {
            json.writeFieldName(component.getName());
            try {
                component.getAccessor().setAccessible(true);
                value(component.getAccessor().invoke(fields));
            } catch (IllegalAccessException | InvocationTargetException fault) {
                throw new IllegalStateException(component + " cannot be read", fault);
            }
        }
        json.writeEndObject();
    }
}
