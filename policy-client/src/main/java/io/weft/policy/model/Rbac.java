package io.weft.policy.model;

import java.util.List;
import java.util.Optional;

/**
 * {@code envoy.extensions.filters.http.rbac.v3.RBAC} and its namesake for connections.
 *
 * @param enforced empty: everything is allowed
 * @param shadow counted only
 */
public record Rbac(Optional<Engine> enforced, Optional<Engine> shadow) {

    public sealed interface Engine {}

    /**
     * {@code envoy.config.rbac.v3.RBAC}. With {@link Action#ALLOW} and no policy, nothing is allowed.
     *
     * @param policies in the order of their names; the first that matches is the one that decided
     */
    public record Policies(Action action, List<Policy> policies) implements Engine {
        public Policies {
            policies = List.copyOf(policies);
        }
    }

    /** What no branch matches is denied. */
    public record Tree(MatchTree<NamedAction> tree) implements Engine {}

    /** {@code envoy.config.rbac.v3.Action}. */
    public record NamedAction(String name, Action action) {}

    public enum Action {
        ALLOW, DENY,
        /** Allows, and counts what matches. */
        LOG
    }

    /** One of the permissions and one of the principals must match. */
    public record Policy(String name, List<Rule> permissions, List<Rule> principals) {
        public Policy {
            permissions = List.copyOf(permissions);
            principals = List.copyOf(principals);
        }
    }

    /** {@code envoy.config.rbac.v3.Permission} or {@code Principal}. */
    public sealed interface Rule {}

    public record Any() implements Rule {}

    public record And(List<Rule> all) implements Rule {
        public And {
            all = List.copyOf(all);
        }
    }

    public record Or(List<Rule> any) implements Rule {
        public Or {
            any = List.copyOf(any);
        }
    }

    public record Not(Rule rule) implements Rule {}

    public record Header(HeaderMatch match) implements Rule {}

    /** The path without query and fragment. */
    public record UrlPath(StringMatch match) implements Rule {}

    public record DestinationIp(CidrRange range) implements Rule {}

    /** Half-open. */
    public record DestinationPort(int from, int to) implements Rule {}

    /** Compared with the empty string where the client asked for no name. */
    public record RequestedServerName(StringMatch match) implements Rule {}

    public record SourceIp(Source source, CidrRange range) implements Rule {}

    /** Whose address. */
    public enum Source {
        /** The other end of the connection. */
        PEER,
        /** The client, which {@code x-forwarded-for} may name. */
        CLIENT
    }

    /** What a filter before has put into the request's filter state. */
    public record FilterState(String key, StringMatch match) implements Rule {}

    /**
     * What a filter before has put into the request's metadata.
     *
     * @param path of names, outermost first; at least one
     */
    public record Metadata(String filter, List<String> path, ValueMatch value, boolean inverted) implements Rule {
        public Metadata {
            path = List.copyOf(path);
        }
    }

    /**
     * The peer came over TLS, and one of the URI SANs, else of the DNS SANs, else the subject of its certificate matches.
     *
     * @param name empty: any peer that TLS let in
     */
    public record Authenticated(Optional<StringMatch> name) implements Rule {}
}
