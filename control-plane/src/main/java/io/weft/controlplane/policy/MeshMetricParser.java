package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshMetric.OpenTelemetry;
import io.weft.controlplane.policy.MeshMetric.Prometheus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Reads what a {@code MeshMetric} says, with Kuma's own checks. */
final class MeshMetricParser {

    /** Kuma's. */
    private static final String NAME = "default-backend";
    private static final String PATH = "/metrics";
    private static final int PORT = 5670;
    private static final Duration INTERVAL = Duration.ofMinutes(1);

    static MeshMetric read(Fields conf, PolicyKind.Place place) {
        conf.get("sidecar").ifPresent(value -> sidecar(value.fields()));
        conf.get("applications").ifPresent(value -> {
            if (!value.items().isEmpty()) {
                value.refuse("is not supported: nobody but the app itself knows its metrics here; have it scraped where it publishes them");
            }
        });
        List<Prometheus> backends = new ArrayList<>();
        List<OpenTelemetry> pushes = new ArrayList<>();
        Set<Integer> ports = new HashSet<>();
        for (Value item : conf.items("backends")) {
            Fields fields = item.fields();
            Value type = fields.require("type");
            if (type.choice(ResourceParser.words("Prometheus", "OpenTelemetry")).equals("Prometheus")) {
                Prometheus prometheus = prometheus(fields.require("prometheus").fields());
                if (!ports.add(prometheus.port())) {
                    item.refuse("has the port " + prometheus.port() + " of another backend; keep one");
                }
                backends.add(prometheus);
            } else {
                pushes.add(openTelemetry(fields.require("openTelemetry").fields()));
            }
            // The type decides which of them counts.
            fields.accept("prometheus", "openTelemetry");
            fields.end();
        }
        return new MeshMetric(backends, pushes);
    }

    private static OpenTelemetry openTelemetry(Fields fields) {
        Duration interval = fields.get("refreshInterval").map(Value::positiveDuration).orElse(INTERVAL);
        return new OpenTelemetry(CollectorParser.ref(fields), interval);
    }

    private static Prometheus prometheus(Fields fields) {
        String name = fields.get("clientId").map(Value::nonEmptyText).orElse(NAME);
        int port = fields.get("port").map(Value::port).orElse(PORT);
        String path = fields.get("path").map(MeshHttpRouteParser::absolutePath).orElse(PATH);
        fields.get("tls").ifPresent(value -> {
            Fields tls = value.fields();
            tls.get("mode").ifPresent(mode -> {
                if (!mode.choice(ResourceParser.words("Disabled", "ProvidedTLS", "ActiveMTLSBackend")).equals("Disabled")) {
                    mode.refuse("is not supported but for Disabled: an agent's metrics are read in plaintext");
                }
            });
            tls.end();
        });
        fields.end();
        return new Prometheus(name, port, path);
    }

    /** An agent publishes all that it counts. */
    private static void sidecar(Fields fields) {
        fields.get("includeUnused").ifPresent(Value::bool);
        fields.get("profiles").ifPresent(value -> {
            Fields profiles = value.fields();
            for (Value item : profiles.items("appendProfiles")) {
                Fields profile = item.fields();
                Value name = profile.require("name");
                if (!name.choice(ResourceParser.words("All", "Basic", "None")).equals("All")) {
                    name.refuse("is not supported but for All: an agent publishes all that it counts; drop the rest where it is scraped");
                }
                profile.end();
            }
            for (String list : new String[] {"exclude", "include"}) {
                profiles.get(list).ifPresent(selected -> selected.refuse(
                        "is not supported: an agent publishes all that it counts; drop the rest where it is scraped"));
            }
            profiles.end();
        });
        fields.end();
    }

    private MeshMetricParser() {}
}
