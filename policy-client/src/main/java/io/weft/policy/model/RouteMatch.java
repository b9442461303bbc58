package io.weft.policy.model;

import java.util.List;
import java.util.Optional;

/**
 * {@code envoy.config.route.v3.RouteMatch}: all of it must hold.
 *
 * @param runtimeFraction share of the matching requests that this route takes; the others go on to the next route
 * @param grpc only requests whose content type is gRPC's
 */
public record RouteMatch(
        PathMatch path,
        boolean caseSensitive,
        List<HeaderMatch> headers,
        List<QueryMatch> query,
        Optional<Fraction> runtimeFraction,
        boolean grpc) {

    public RouteMatch {
        headers = List.copyOf(headers);
        query = List.copyOf(query);
    }

    /** How the path, without query and fragment, is compared. */
    public sealed interface PathMatch {}

    public record Prefix(String prefix) implements PathMatch {}

    public record Exact(String path) implements PathMatch {}

    /** Equal, or a prefix followed by a slash. Holds no query and does not end in a slash. */
    public record SeparatedPrefix(String prefix) implements PathMatch {}

    /** RE2 syntax, the whole path must match; known to compile. */
    public record Regex(String regex) implements PathMatch {}

    /** {@code envoy.type.v3.FractionalPercent}: numerator of denominator, denominator 100, 10,000 or 1,000,000. */
    public record Fraction(int numerator, int denominator) {}
}
