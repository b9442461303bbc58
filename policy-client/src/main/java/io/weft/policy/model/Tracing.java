package io.weft.policy.model;

import java.util.List;
import java.util.Optional;

/**
 * {@code HttpConnectionManager.Tracing}: which requests begin a trace, and what their spans say.
 *
 * @param maxPathLength most characters of a path that a span has
 * @param tags in order, each name once
 * @param collector that gets the spans, where policy names one that takes OpenTelemetry's
 */
public record Tracing(Sampling sampling, int maxPathLength, List<Tag> tags, Optional<TelemetryService> collector) {
    public static final int DEFAULT_MAX_PATH_LENGTH = 256;

    public Tracing {
        tags = List.copyOf(tags);
    }

    public Tracing(Sampling sampling, int maxPathLength, List<Tag> tags) {
        this(sampling, maxPathLength, tags, Optional.empty());
    }

    /**
     * How many of the requests of which nobody has decided yet, each 0 to 100.
     *
     * @param client of those whose client asks for it
     * @param random of the others
     * @param overall no more than these
     */
    public record Sampling(double client, double random, double overall) {
        public static final Sampling DEFAULT = new Sampling(100, 100, 100);
    }

    /** What a span has in addition. */
    public sealed interface Tag {
        String name();
    }

    public record Literal(String name, String value) implements Tag {}

    /** @param otherwise empty: then there is no tag */
    public record OfEnvironment(String name, String variable, String otherwise) implements Tag {}

    /**
     * @param header lower case
     * @param otherwise empty: then there is no tag
     */
    public record OfHeader(String name, String header, String otherwise) implements Tag {}
}
