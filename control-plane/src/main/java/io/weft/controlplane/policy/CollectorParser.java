package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Collector;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Inline;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Labelled;
import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Ref;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads where telemetry is to be sent to, with Kuma's own checks. */
final class CollectorParser {

    private static final String NODE_LOCAL = "127.0.0.1";
    private static final Collector NOWHERE = new Collector("", NODE_LOCAL, MeshOpenTelemetryBackend.DEFAULT_PORT, false, "");
    private static final Pattern HOST_PORT = Pattern.compile("(\\[[0-9a-fA-F:]+]|[^\\[\\]:/?#@\\s]+)(?::(\\d{1,5}))?");

    static MeshOpenTelemetryBackend backend(Metadata metadata, Fields spec) {
        Optional<Value> protocolValue = spec.get("protocol");
        boolean http = protocolValue.map(value -> value.choice(ResourceParser.words("grpc", "http"))).orElse("grpc").equals("http");
        Fields endpoint = spec.get("endpoint").map(Value::fields).orElse(null);
        String host = NODE_LOCAL;
        int port = MeshOpenTelemetryBackend.DEFAULT_PORT;
        String path = "";
        if (endpoint != null) {
            host = endpoint.get("address").map(CollectorParser::host).orElse(NODE_LOCAL);
            port = endpoint.get("port").map(Value::port).orElse(port);
            path = endpoint.get("path").map(value -> path(value, http)).orElse("");
            endpoint.end();
        }
        spec.get("env").ifPresent(value -> env(value.fields()));
        spec.end();
        return new MeshOpenTelemetryBackend(metadata, new Collector(metadata.displayName(), host, port, http, path));
    }

    private static String host(Value value) {
        String text = value.nonEmptyText();
        if (!text.isEmpty() && !IpLiteral.is(text) && !MeshHttpRouteParser.isHostName(text)) {
            value.refuse("must be an IP address or a host name in lower case, without a scheme or a port, not '" + text + "'");
        }
        return text;
    }

    private static String path(Value value, boolean http) {
        String path = value.text();
        if (!path.isEmpty() && !http) {
            value.refuse("has no meaning with protocol grpc; remove it, or set protocol: http");
        } else if (!path.isEmpty() && (!path.startsWith("/") || path.contains("?") || path.contains("#"))) {
            value.refuse("must be a path that begins with /, without a query");
        }
        return path;
    }

    /** What Kuma says by default is how it is here: the process's own settings count first. */
    private static void env(Fields fields) {
        fields.get("mode").ifPresent(value -> {
            if (!value.choice(ResourceParser.words("Optional", "Disabled", "Required")).equals("Optional")) {
                value.refuse("is not supported but for Optional: what a process is told by its own settings counts for it");
            }
        });
        fields.get("precedence").ifPresent(value -> {
            if (!value.choice(ResourceParser.words("EnvFirst", "ExplicitFirst")).equals("EnvFirst")) {
                value.refuse("is not supported but for EnvFirst: what a process is told by its own settings counts for it");
            }
        });
        fields.get("allowSignalOverrides").ifPresent(value -> {
            if (!value.bool()) {
                value.refuse("is not supported but for true: what a process is told by its own settings counts for it");
            }
        });
        fields.end();
    }

    /** Of a policy: a collector by its address, which Kuma 3 has no more, or by a reference. */
    static Ref ref(Fields fields) {
        Optional<Value> endpoint = fields.get("endpoint").filter(value -> !value.text().isEmpty());
        Optional<Value> reference = fields.get("backendRef");
        fields.accept("refreshInterval");
        fields.end();
        if (endpoint.isPresent() == reference.isPresent()) {
            fields.refuse("backendRef", endpoint.isPresent() ? "and endpoint exclude each other; keep one" : "is missing, and so is endpoint;"
                    + " say where the collector is");
            return new Inline(NOWHERE);
        }
        return endpoint.isPresent() ? new Inline(inline(endpoint.get())) : labelled(reference.get().fields());
    }

    private static Collector inline(Value value) {
        Matcher matcher = HOST_PORT.matcher(value.text());
        int port = matcher.matches() && matcher.group(2) != null
                ? Integer.parseInt(matcher.group(2))
                : MeshOpenTelemetryBackend.DEFAULT_PORT;
        if (!matcher.matches() || port < 1 || port > 65_535) {
            value.refuse("must be host:port, such as otel-collector:4317, without a scheme; for OTLP over HTTP refer to a"
                    + " MeshOpenTelemetryBackend");
            return NOWHERE;
        }
        String host = matcher.group(1);
        return new Collector(value.text(), host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port, false, "");
    }

    private static Ref labelled(Fields fields) {
        fields.require("kind").choice(ResourceParser.words("MeshOpenTelemetryBackend"));
        Map<String, String> labels = fields.require("labels").texts();
        if (labels.isEmpty()) {
            fields.refuse("labels", "must not be empty; " + Labels.DISPLAY_NAME + " is the label of its name");
        }
        fields.end();
        return new Labelled(labels);
    }

    private CollectorParser() {}
}
