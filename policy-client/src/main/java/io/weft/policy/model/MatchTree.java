package io.weft.policy.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code xds.type.matcher.v3.Matcher}: from what is known of a request to an action.
 *
 * <p>A branch whose nested tree comes to nothing counts as one that did not match: the search goes on with the next of a list,
 * the next shorter prefix or the next wider range, as in Envoy since 1.35.
 *
 * @param branches empty: nothing matches
 * @param onNoMatch empty: there is no result then
 * @param <A> what a match leads to
 */
public record MatchTree<A>(Optional<Branches<A>> branches, Optional<OnMatch<A>> onNoMatch) {

    public sealed interface OnMatch<A> {}

    public record Act<A>(A action) implements OnMatch<A> {}

    public record Descend<A>(MatchTree<A> tree) implements OnMatch<A> {}

    public sealed interface Branches<A> {}

    /** The first that matches; at least one. */
    public record Sequence<A>(List<Branch<A>> branches) implements Branches<A> {
        public Sequence {
            branches = List.copyOf(branches);
        }
    }

    public record Branch<A>(Predicate predicate, OnMatch<A> onMatch) {}

    /** By the whole value. A missing one matches nothing, here and below. */
    public record ExactMap<A>(Input input, Map<String, OnMatch<A>> map) implements Branches<A> {
        public ExactMap {
            map = Map.copyOf(map);
        }
    }

    /** By the longest key with which the value begins. */
    public record PrefixMap<A>(Input input, Map<String, OnMatch<A>> map) implements Branches<A> {
        public PrefixMap {
            map = Map.copyOf(map);
        }
    }

    /**
     * {@code xds.type.matcher.v3.IPMatcher}: by the narrowest range that holds the address, the first of equals.
     */
    public record Ranges<A>(Input input, List<RangeBranch<A>> branches) implements Branches<A> {
        public Ranges {
            branches = List.copyOf(branches);
        }
    }

    /** @param exclusive only when no narrower range held the address and came to nothing */
    public record RangeBranch<A>(List<CidrRange> ranges, OnMatch<A> onMatch, boolean exclusive) {
        public RangeBranch {
            ranges = List.copyOf(ranges);
        }
    }

    public sealed interface Predicate {}

    /** A missing value does not match. */
    public record Text(Input input, StringMatch match) implements Predicate {}

    /** {@code envoy.extensions.matching.input_matchers.ip.v3.Ip}; what is no IP address does not match. */
    public record InRange(Input input, List<CidrRange> ranges) implements Predicate {
        public InRange {
            ranges = List.copyOf(ranges);
        }
    }

    public record And(List<Predicate> all) implements Predicate {
        public And {
            all = List.copyOf(all);
        }
    }

    public record Or(List<Predicate> any) implements Predicate {
        public Or {
            any = List.copyOf(any);
        }
    }

    public record Not(Predicate predicate) implements Predicate {}

    /** What is looked at. A value that is not there is missing, not empty. */
    public sealed interface Input {}

    /** {@code envoy.extensions.matching.common_inputs}: of the connection. */
    public enum ConnectionInput implements Input {
        /** Of the certificate that the peer proved; several are joined by commas. */
        URI_SAN, DNS_SAN,
        /** As in RFC 2253. */
        SUBJECT,
        /** The requested server name. */
        SERVER_NAME,
        SOURCE_IP, SOURCE_PORT, DESTINATION_IP, DESTINATION_PORT,
        /** The other end of the connection, whatever headers say. */
        DIRECT_SOURCE_IP,
        /** {@code local} from the same address or loopback; missing otherwise. */
        SOURCE_TYPE
    }

    /** @param name lower case */
    public record RequestHeader(String name) implements Input {}

    /** The first parameter of that name, decoded. */
    public record QueryParameter(String name) implements Input {}
}
