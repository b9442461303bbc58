package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.agent.link.Attachments;
import io.weft.agent.status.Status.UnregisteredPort;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.InboundPorts.PortInfo;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Closed;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Connecting;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.model.Unhonoured;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** For scripts, in one line: names stay as they are, further ones may come. Times are RFC 3339, in UTC. */
final class StatusJson {
    private static final JsonFactory JSON = new JsonFactory();

    private final JsonGenerator json;

    private StatusJson(JsonGenerator json) {
        this.json = json;
    }

    static String of(Status status) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            new StatusJson(json).write(status);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    /** In place of what a process does not say. */
    static String unanswered(long pid, Unanswered why, String problem) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("pid", pid);
            json.writeStringField("state", why.name().toLowerCase(Locale.ROOT));
            json.writeStringField("problem", problem);
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    private void write(Status status) throws IOException {
        json.writeStartObject();
        json.writeNumberField("pid", status.process().pid());
        json.writeStringField("agent", status.process().agent());
        json.writeStringField("java", status.process().java());
        json.writeStringField("command", status.process().command());
        json.writeStringField("state", status.state().name().toLowerCase(Locale.ROOT));
        json.writeStringField("service", status.service());
        json.writeStringField("mesh", status.mesh());
        tags(status.tags());
        json.writeStringField("instance", status.instance());
        controlPlane(status);
        policy(status);
        identities(status);
        refused(status);
        unhonoured(status);
        ports(status);
        unregistered(status);
        libraries(status);
        clusters(status);
        refusals(status);
        accessRules(status);
        notices(status);
        json.writeEndObject();
    }

    private void controlPlane(Status status) throws IOException {
        PolicyClientStatus stream = status.stream();
        json.writeObjectFieldStart("controlPlane");
        json.writeStringField("uri", status.controlPlane().uri().toString());
        if (stream.connection() instanceof Connected connected) {
            json.writeStringField("state", "connected");
            json.writeStringField("since", connected.since().toString());
        } else if (stream.connection() instanceof Connecting connecting) {
            json.writeStringField("state", "connecting");
            json.writeStringField("since", connecting.since().toString());
        } else if (stream.connection() instanceof Disconnected disconnected) {
            json.writeStringField("state", "disconnected");
            json.writeStringField("since", disconnected.since().toString());
            json.writeBooleanField("turnedAway", disconnected.turnedAway());
            json.writeStringField("error", disconnected.error());
        } else if (stream.connection() instanceof Closed) {
            json.writeStringField("state", "closed");
        }
        json.writeStringField("identifier", stream.controlPlane());
        json.writeStringField("variant", stream.variant().name().toLowerCase(Locale.ROOT));
        if (stream.lastResponse().isPresent()) {
            json.writeStringField("lastResponse", stream.lastResponse().get().toString());
        }
        if (stream.problem().isPresent()) {
            json.writeStringField("problem", stream.problem().get());
        }
        json.writeEndObject();
    }

    private void policy(Status status) throws IOException {
        json.writeObjectFieldStart("policy");
        json.writeNumberField("generation", status.policy().generation());
        json.writeObjectFieldStart("versions");
        for (Map.Entry<String, String> version : new TreeMap<>(status.stream().versions()).entrySet()) {
            json.writeStringField(version.getKey(), version.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("listeners", status.policy().listeners().size());
        json.writeNumberField("routeConfigurations", status.policy().routeConfigurations().size());
        json.writeNumberField("clusters", status.policy().clusters().size());
        json.writeNumberField("endpoints", status.endpoints());
        json.writeEndObject();
    }

    private void identities(Status status) throws IOException {
        json.writeArrayFieldStart("identities");
        for (ShownIdentity identity : ShownIdentity.of(status.policy())) {
            json.writeStartObject();
            json.writeStringField("name", identity.name());
            json.writeStringField("spiffeId", identity.spiffeId());
            json.writeStringField("issuer", identity.issuer());
            json.writeStringField("expires", identity.expires().toString());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void refused(Status status) throws IOException {
        json.writeArrayFieldStart("refused");
        for (Refusal refusal : status.stream().refused()) {
            json.writeStartObject();
            json.writeStringField("resource", refusal.resource());
            json.writeStringField("path", refusal.path());
            json.writeStringField("reason", refusal.reason());
            json.writeStringField("since", refusal.since().toString());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void unhonoured(Status status) throws IOException {
        json.writeArrayFieldStart("unhonoured");
        for (Unhonoured field : status.policy().unhonoured()) {
            json.writeStartObject();
            json.writeStringField("resource", field.resource());
            json.writeStringField("path", field.path());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void ports(Status status) throws IOException {
        json.writeArrayFieldStart("ports");
        for (PortInfo port : status.ports()) {
            json.writeStartObject();
            json.writeStringField("library", port.library());
            json.writeStringField("address", Addresses.text(port.address()));
            json.writeBooleanField("ownTls", port.tls());
            json.writeBooleanField("draining", port.draining());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void unregistered(Status status) throws IOException {
        json.writeArrayFieldStart("unregisteredPorts");
        for (UnregisteredPort port : status.unregistered()) {
            json.writeStartObject();
            json.writeStringField("address", Addresses.text(port.address()));
            if (!port.library().isEmpty()) {
                json.writeStringField("library", port.library());
            }
            json.writeStringField("reason", port.reason().name().toLowerCase(Locale.ROOT));
            json.writeStringField("explanation", port.reason().explanation());
            json.writeBooleanField("unguarded", port.unguarded());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void libraries(Status status) throws IOException {
        json.writeArrayFieldStart("libraries");
        for (Attachments.Status library : status.libraries()) {
            json.writeStartObject();
            json.writeStringField("library", library.module());
            if (!library.jar().isEmpty()) {
                json.writeStringField("jar", library.jar());
            }
            if (!library.version().isEmpty()) {
                json.writeStringField("version", library.version());
                json.writeBooleanField("inTestedRange", library.inTestedRange());
            }
            json.writeStringField("supported", library.supported());
            json.writeStringField("loader", library.loader());
            json.writeBooleanField("inMesh", library.refused() == null);
            if (library.refused() != null) {
                json.writeStringField("reason", library.refused());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void clusters(Status status) throws IOException {
        json.writeArrayFieldStart("clusters");
        for (ClusterStats cluster : status.clusters()) {
            json.writeStartObject();
            json.writeStringField("name", cluster.name());
            tags(new ClusterTags(status.policy()).of(cluster.name()));
            json.writeStringField("transport", cluster.transport().name().toLowerCase(Locale.ROOT));
            json.writeNumberField("active", cluster.active());
            json.writeNumberField("successes", cluster.successes());
            json.writeNumberField("failures", cluster.failures());
            json.writeNumberField("refused", cluster.refused());
            json.writeNumberField("retries", cluster.retries());
            json.writeNumberField("overflows", cluster.overflows());
            json.writeNumberField("retryOverflows", cluster.retryOverflows());
            json.writeNumberField("withoutEndpoint", cluster.withoutEndpoint());
            json.writeNumberField("abandoned", cluster.abandoned());
            json.writeNumberField("connectFailures", cluster.connectFailures());
            json.writeNumberField("ejections", cluster.ejections());
            json.writeArrayFieldStart("endpoints");
            for (EndpointStats endpoint : cluster.endpoints()) {
                endpoint(endpoint);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void tags(Map<String, String> tags) throws IOException {
        json.writeObjectFieldStart("tags");
        for (Map.Entry<String, String> tag : tags.entrySet()) {
            json.writeStringField(tag.getKey(), tag.getValue());
        }
        json.writeEndObject();
    }

    private void endpoint(EndpointStats endpoint) throws IOException {
        json.writeStartObject();
        json.writeStringField("address", Addresses.text(endpoint.address()));
        json.writeNumberField("priority", endpoint.priority());
        json.writeNumberField("weight", endpoint.weight());
        json.writeStringField("health", endpoint.health().name().toLowerCase(Locale.ROOT));
        json.writeStringField("transport", endpoint.transport().name().toLowerCase(Locale.ROOT));
        json.writeNumberField("active", endpoint.active());
        json.writeNumberField("successes", endpoint.successes());
        json.writeNumberField("failures", endpoint.failures());
        json.writeBooleanField("ejected", endpoint.ejected());
        json.writeNumberField("ejections", endpoint.ejections());
        json.writeEndObject();
    }

    private void notices(Status status) throws IOException {
        json.writeArrayFieldStart("notices");
        for (String notice : status.notices()) {
            json.writeString(notice);
        }
        json.writeEndArray();
    }

    private void refusals(Status status) throws IOException {
        json.writeObjectFieldStart("refusals");
        json.writeNumberField("permission", status.refusals().permission());
        json.writeNumberField("rateLimit", status.refusals().rateLimit());
        json.writeNumberField("fault", status.refusals().fault());
        json.writeEndObject();
    }

    private void accessRules(Status status) throws IOException {
        json.writeArrayFieldStart("accessRules");
        for (RuleStats rule : status.accessRules()) {
            json.writeStartObject();
            json.writeStringField("filter", rule.filter());
            json.writeStringField("rule", rule.rule());
            json.writeBooleanField("shadow", rule.shadow());
            json.writeBooleanField("allows", rule.allows());
            json.writeNumberField("count", rule.count());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
