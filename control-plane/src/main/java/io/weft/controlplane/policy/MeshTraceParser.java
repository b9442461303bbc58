package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshTrace.Backend;
import io.weft.controlplane.policy.MeshTrace.Sampling;
import io.weft.controlplane.policy.MeshTrace.Tag;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;

/** Reads what a {@code MeshTrace} says, with Kuma's own checks. */
final class MeshTraceParser {

    private static final URI NOWHERE = URI.create("http://127.0.0.1:1");

    static MeshTrace read(Fields conf, PolicyKind.Place place) {
        List<Value> backends = conf.require("backends").items();
        if (backends.size() > 1) {
            conf.refuse("backends", "must hold one backend, or none, by which nothing is traced");
        }
        Optional<Backend> backend = backends.stream().findFirst().map(value -> backend(value.fields()));
        Sampling sampling = conf.get("sampling")
                .map(value -> sampling(value.fields()))
                .orElse(new Sampling(Optional.empty(), Optional.empty(), Optional.empty()));
        List<Tag> tags = conf.items("tags").stream().map(item -> tag(item.fields())).toList();
        return new MeshTrace(backend, sampling, tags);
    }

    private static Backend backend(Fields fields) {
        String type = fields.require("type").choice(ResourceParser.words("Zipkin", "Datadog", "OpenTelemetry"));
        Backend backend = switch (type) {
            case "Zipkin" -> zipkin(fields.require("zipkin").fields());
            case "Datadog" -> datadog(fields.require("datadog").fields());
            default -> new MeshTrace.OpenTelemetry(CollectorParser.ref(fields.require("openTelemetry").fields()));
        };
        // The type decides which of them counts.
        fields.accept("zipkin", "datadog", "openTelemetry");
        fields.end();
        return backend;
    }

    private static Backend zipkin(Fields fields) {
        Value value = fields.require("url");
        URI url = url(value);
        boolean tls = "https".equals(url.getScheme());
        boolean longIds = fields.get("traceId128bit").map(Value::bool).orElse(false);
        boolean protobuf = fields.get("apiVersion")
                .map(version -> version.choice(ResourceParser.words("httpJson", "httpProto")).equals("httpProto"))
                .orElse(false);
        boolean shared = fields.get("sharedSpanContext").map(Value::bool).orElse(true);
        fields.end();
        int port = url.getPort() < 0 ? (tls ? 443 : 80) : url.getPort();
        return new MeshTrace.Zipkin(
                value.text(), url.getAuthority(), host(url), port, tls, url.getRawPath(), longIds, protobuf, shared);
    }

    private static Backend datadog(Fields fields) {
        Value value = fields.require("url");
        URI url = url(value);
        boolean split = fields.get("splitService").map(Value::bool).orElse(false);
        fields.end();
        boolean more = !url.getRawPath().isEmpty() || url.getRawQuery() != null || url.getRawFragment() != null;
        if (!url.getScheme().equals("http") || url.getPort() < 0 || more) {
            value.refuse("must be http:// with a host and a port, and nothing else, such as http://127.0.0.1:8126");
        }
        return new MeshTrace.Datadog(value.text(), host(url), Math.max(1, url.getPort()), split);
    }

    private static URI url(Value value) {
        String text = value.nonEmptyText();
        if (text.isEmpty()) {
            return NOWHERE;
        }
        try {
            URI url = new URI(text);
            boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (http && url.getHost() != null && url.getUserInfo() == null && url.getPort() <= 65_535 && url.getPort() != 0) {
                return url;
            }
        } catch (URISyntaxException e) {
            // Told below, with what else is no such URL.
        }
        value.refuse("must be a URL with a host, such as http://collector:9411/api/v2/spans, not '" + text + "'");
        return NOWHERE;
    }

    private static String host(URI url) {
        String host = url.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private static Sampling sampling(Fields fields) {
        Sampling sampling = new Sampling(
                fields.get("overall").map(Value::percentage),
                fields.get("client").map(Value::percentage),
                fields.get("random").map(Value::percentage));
        fields.end();
        return sampling;
    }

    private static Tag tag(Fields fields) {
        String name = fields.require("name").nonEmptyText();
        Optional<Value> literal = fields.get("literal");
        Optional<Value> header = fields.get("header");
        fields.end();
        if (literal.isPresent() == header.isPresent()) {
            fields.refuse("literal", literal.isPresent() ? "and header exclude each other; keep one" : "is missing, and so is header; set one");
            return new MeshTrace.Literal(name, "");
        }
        if (literal.isPresent()) {
            // Envoy refuses an empty one.
            return new MeshTrace.Literal(name, literal.get().nonEmptyText());
        }
        Fields of = header.get().fields();
        String named = of.require("name").nonEmptyText();
        String otherwise = of.get("default").map(Value::text).orElse("");
        of.end();
        return new MeshTrace.OfHeader(name, named, otherwise);
    }

    private MeshTraceParser() {}
}
