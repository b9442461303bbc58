package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.config.route.v3.RateLimit}: a descriptor that requests may have, with an entry of each action in their order. A
 * request for which an action has nothing to say has no such descriptor.
 *
 * @param stage of the filters that it is for
 * @param hits above zero; tokens that a request with the descriptor takes
 */
public record RateLimit(int stage, List<Action> actions, int hits) {
    public RateLimit {
        actions = List.copyOf(actions);
    }

    /** Part of a descriptor. */
    public record Entry(String key, String value) {}

    public sealed interface Action {}

    public record GenericKey(Entry entry) implements Action {}

    /**
     * The first value of a header.
     *
     * @param header lower case
     * @param skipIfAbsent without the header there is no entry, but the descriptor all the same
     */
    public record RequestHeader(String header, String key, boolean skipIfAbsent) implements Action {}

    /**
     * The first value of a parameter, percent-decoded.
     *
     * @param skipIfAbsent as that of {@link RequestHeader}
     */
    public record QueryParameter(String name, String key, boolean skipIfAbsent) implements Action {}

    /**
     * @param headers all of them
     * @param expected whether they are to match
     */
    public record HeaderValueMatch(Entry entry, List<HeaderMatch> headers, boolean expected) implements Action {
        public HeaderValueMatch {
            headers = List.copyOf(headers);
        }
    }

    /**
     * @param parameters all of them, percent-decoded
     * @param expected whether they are to match
     */
    public record QueryParameterValueMatch(Entry entry, List<QueryMatch> parameters, boolean expected) implements Action {
        public QueryParameterValueMatch {
            parameters = List.copyOf(parameters);
        }
    }

    /** Who calls. */
    public record RemoteAddress() implements Action {}

    /**
     * The network of who calls, as in {@code 10.1.0.0/16}.
     *
     * @param ipv4Length 0 to 32
     * @param ipv6Length 0 to 128
     */
    public record MaskedRemoteAddress(int ipv4Length, int ipv6Length) implements Action {}

    /** The route's cluster. */
    public record DestinationCluster() implements Action {}

    /** What nothing here can tell: no request has such a descriptor. */
    public record Untold() implements Action {}
}
