package io.weft.controlplane.policy;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Kuma's {@code MeshOpenTelemetryBackend}: an OpenTelemetry collector to which policies refer. */
public record MeshOpenTelemetryBackend(Metadata metadata, Collector collector) implements Resource {

    /** Of OTLP by gRPC. */
    static final int DEFAULT_PORT = 4317;

    private static final int HTTPS = 443;

    /**
     * Where telemetry is sent to.
     *
     * @param name of it to people
     * @param host name or IP literal
     * @param http OTLP over HTTP; otherwise by gRPC
     * @param path what signals' own paths come after, over HTTP; empty or with a slash first
     */
    public record Collector(String name, String host, int port, boolean http, String path) {

        /** As in Kuma, its port says so. */
        public boolean tls() {
            return http && port == HTTPS;
        }

        /** @param signal such as {@code v1/traces} */
        public String uri(String signal) {
            String authority = (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
            String base = path.endsWith("/") ? path : path + "/";
            return (tls() ? "https://" : "http://") + authority.toLowerCase(Locale.ROOT) + base + signal;
        }
    }

    /** How a policy says which collector it means. */
    public sealed interface Ref {}

    public record Inline(Collector collector) implements Ref {}

    /** The first by name that has these labels. */
    public record Labelled(Map<String, String> labels) implements Ref {
        public Labelled {
            labels = Map.copyOf(labels);
        }
    }

    /** @return empty: there is none */
    public static Optional<Collector> find(Ref ref, List<MeshOpenTelemetryBackend> all) {
        if (ref instanceof Inline inline) {
            return Optional.of(inline.collector());
        }
        Map<String, String> labels = ((Labelled) ref).labels();
        return all.stream()
                .filter(backend -> backend.metadata().has(labels))
                .min(Comparator.comparing(backend -> backend.metadata().id().name()))
                .map(MeshOpenTelemetryBackend::collector);
    }
}
