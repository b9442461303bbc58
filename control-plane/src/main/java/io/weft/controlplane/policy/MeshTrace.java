package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshOpenTelemetryBackend.Ref;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/**
 * Kuma's {@code MeshTrace}.
 *
 * @param backend absent: nothing is traced
 */
public record MeshTrace(Optional<Backend> backend, Sampling sampling, List<Tag> tags) {

    public MeshTrace {
        tags = List.copyOf(tags);
    }

    /** Where spans go. */
    public sealed interface Backend {}

    /**
     * @param url as it was written
     * @param hostPort of the URL, as it was written
     * @param longIds of traces, of 128 bits
     * @param protobuf instead of JSON
     * @param sharedContext of a client's and a server's span
     */
    public record Zipkin(
            String url, String hostPort, String host, int port, boolean tls, String path, boolean longIds, boolean protobuf,
            boolean sharedContext)
            implements Backend {}

    /**
     * @param url as it was written
     * @param splitService whether the service's name tells in from out
     */
    public record Datadog(String url, String host, int port, boolean splitService) implements Backend {}

    public record OpenTelemetry(Ref collector) implements Backend {}

    /** In percent; absent: all. */
    public record Sampling(Optional<BigDecimal> overall, Optional<BigDecimal> client, Optional<BigDecimal> random) {}

    public sealed interface Tag {
        String name();
    }

    public record Literal(String name, String value) implements Tag {}

    /** @param otherwise empty: without the header there is no tag */
    public record OfHeader(String name, String header, String otherwise) implements Tag {}
}
