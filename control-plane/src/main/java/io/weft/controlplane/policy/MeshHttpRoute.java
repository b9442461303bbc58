package io.weft.controlplane.policy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Kuma's {@code MeshHTTPRoute}, or Gateway API's routes with a Service as their parent; and Kuma's {@code MeshTCPRoute}, whose one rule
 * is for all that nobody's {@code MeshHTTPRoute} is for.
 *
 * @param unmatched what becomes of a request that none of its rules, nor of other routes of the service, matches
 */
public record MeshHttpRoute(Metadata metadata, TargetRef target, Unmatched unmatched, List<To> to) implements Resource {

    public enum Unmatched {
        /** It goes to the service, as in Kuma. */
        FORWARDED,
        /** It is answered with 404, as in Gateway API. */
        NOT_FOUND
    }

    static final String OF_CONNECTIONS = "MeshTCPRoute";

    public MeshHttpRoute {
        to = List.copyOf(to);
    }

    /** Whether it is a {@code MeshTCPRoute}. */
    public boolean ofConnections() {
        return metadata.id().type().equals(OF_CONNECTIONS);
    }

    /** The rules for requests to one destination, or to all that carry some labels. */
    public record To(Destination destination, List<Rule> rules) {
        public To {
            rules = List.copyOf(rules);
        }
    }

    /**
     * @param type of service
     * @param name the service's name; absent: the labels select
     * @param namespace of the service; empty: any
     * @param section a port's name or number; absent: all ports
     */
    public record Destination(
            ServiceType type, Optional<String> name, String namespace, Map<String, String> labels, Optional<String> section) {}

    /**
     * @param matches one of them must hold
     * @param attempts absent: as other policies say
     */
    public record Rule(
            List<Match> matches, Optional<List<Filter>> filters, Optional<List<BackendRef>> backends, Optional<Attempts> attempts) {
        public Rule {
            matches = List.copyOf(matches);
            filters = filters.map(List::copyOf);
            backends = backends.map(List::copyOf);
        }
    }

    /**
     * How long and how often it is tried, as Gateway API says it with a route. What is absent is as other policies say.
     *
     * @param request for all attempts together; zero: without end
     * @param each for one of them
     */
    public record Attempts(Optional<Duration> request, Optional<Duration> each, Optional<Retry> retry) {}

    /**
     * @param codes status codes that are tried again
     * @param attempts beside the first one
     * @param backoff before the second attempt
     */
    public record Retry(List<Integer> codes, int attempts, Optional<Duration> backoff) {
        public Retry {
            codes = List.copyOf(codes);
        }
    }

    /** All of it must hold. */
    public record Match(
            Optional<Path> path, Optional<String> method, List<HeaderMatch> headers, List<QueryMatch> query) {
        public Match {
            headers = List.copyOf(headers);
            query = List.copyOf(query);
        }
    }

    public record Path(Kind kind, String value) {
        public enum Kind { EXACT, PREFIX, REGEX }
    }

    /** @param name in lower case */
    public record HeaderMatch(Kind kind, String name, String value) {
        public enum Kind { EXACT, PRESENT, REGEX, ABSENT, PREFIX }
    }

    public record QueryMatch(Kind kind, String name, String value) {
        public enum Kind { EXACT, REGEX }
    }

    /**
     * A share of the requests, weight 0 or more, goes to a service or to those of its instances that carry the tags.
     *
     * @param type of service
     * @param namespace of the service; empty: any
     */
    public record BackendRef(
            ServiceType type,
            Optional<String> name,
            String namespace,
            Map<String, String> labels,
            Optional<String> section,
            OptionalInt port,
            Map<String, String> tags,
            long weight) {}

    public sealed interface Filter {}

    public record RequestHeaders(HeaderChanges changes) implements Filter {}

    public record ResponseHeaders(HeaderChanges changes) implements Filter {}

    public record HeaderChanges(List<Header> set, List<Header> add, List<String> remove) {}

    public record Header(String name, String value) {}

    public record Redirect(
            Optional<String> scheme, Optional<String> host, OptionalInt port, Optional<PathRewrite> path, int status)
            implements Filter {}

    public record Rewrite(Optional<String> host, Optional<PathRewrite> path) implements Filter {}

    /** @param millionths share of the requests that are mirrored, 0 to 1,000,000 */
    public record Mirror(BackendRef backend, int millionths) implements Filter {}

    public sealed interface PathRewrite {}

    public record ReplaceFullPath(String path) implements PathRewrite {}

    public record ReplacePrefix(String prefix) implements PathRewrite {}
}
