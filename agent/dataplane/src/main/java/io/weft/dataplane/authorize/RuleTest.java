package io.weft.dataplane.authorize;

import io.weft.dataplane.Caller;
import io.weft.dataplane.Connection;
import io.weft.dataplane.match.AddressRange;
import io.weft.dataplane.route.HeaderTest;
import io.weft.dataplane.route.PathTest;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Rule;
import java.util.List;
import java.util.Map;

/** A {@link Rule} made ready. Immutable; allocates nothing where no regular expression is in it. */
abstract sealed class RuleTest {

    /** @param request null where only the connection is known; then no rule asks for it */
    abstract boolean matches(Caller caller);

    /**
     * @param refuses that the rule matches speaks against the request: then a header matches by one of its values, too, so that
     *     nobody hides what is forbidden behind a second value, which the app might take
     */
    static RuleTest of(Rule rule, boolean refuses) {
        if (rule instanceof Rbac.Any) {
            return Everybody.INSTANCE;
        }
        if (rule instanceof Rbac.And and) {
            return new Every(of(and.all(), refuses));
        }
        if (rule instanceof Rbac.Or or) {
            return new One(of(or.any(), refuses));
        }
        if (rule instanceof Rbac.Not not) {
            return new Negated(of(not.rule(), !refuses));
        }
        if (rule instanceof Rbac.Authenticated authenticated) {
            return new OfPeer(authenticated);
        }
        if (rule instanceof Rbac.Header header) {
            HeaderTest test = HeaderTest.of(header.match());
            return refuses ? new OfOneValue(test) : new OfHeader(test);
        }
        if (rule instanceof Rbac.UrlPath path) {
            return new OfPath(TextTest.of(path.match()));
        }
        if (rule instanceof Rbac.FilterState state) {
            return new OfState(state.key(), TextTest.of(state.match()));
        }
        if (rule instanceof Rbac.Metadata metadata) {
            return new OfMetadata(metadata);
        }
        if (rule instanceof Rbac.SourceIp source) {
            AddressRange range = AddressRange.of(source.range());
            return source.source() == Rbac.Source.PEER ? new OfSource(range) : new OfClient(range);
        }
        if (rule instanceof Rbac.DestinationIp destination) {
            return new OfDestination(AddressRange.of(destination.range()));
        }
        if (rule instanceof Rbac.DestinationPort port) {
            return new OfPort(port);
        }
        return new OfServerName(TextTest.of(((Rbac.RequestedServerName) rule).match()));
    }

    static RuleTest[] of(List<Rule> rules, boolean refuses) {
        return rules.stream().map(rule -> of(rule, refuses)).toArray(RuleTest[]::new);
    }

    static boolean any(RuleTest[] rules, Caller caller) {
        for (int i = 0; i < rules.length; i++) {
            if (rules[i].matches(caller)) {
                return true;
            }
        }
        return false;
    }

    private static final class Everybody extends RuleTest {
        static final Everybody INSTANCE = new Everybody();

        @Override
        boolean matches(Caller caller) {
            return true;
        }
    }

    private static final class Every extends RuleTest {
        private final RuleTest[] all;

        Every(RuleTest[] all) {
            this.all = all;
        }

        @Override
        boolean matches(Caller caller) {
            for (int i = 0; i < all.length; i++) {
                if (!all[i].matches(caller)) {
                    return false;
                }
            }
            return true;
        }
    }

    private static final class One extends RuleTest {
        private final RuleTest[] rules;

        One(RuleTest[] rules) {
            this.rules = rules;
        }

        @Override
        boolean matches(Caller caller) {
            return any(rules, caller);
        }
    }

    private static final class Negated extends RuleTest {
        private final RuleTest rule;

        Negated(RuleTest rule) {
            this.rule = rule;
        }

        @Override
        boolean matches(Caller caller) {
            return !rule.matches(caller);
        }
    }

    /** Each URI SAN, then each DNS SAN, then the subject, as in Envoy. */
    private static final class OfPeer extends RuleTest {
        /** Null: any. */
        private final TextTest name;

        OfPeer(Rbac.Authenticated authenticated) {
            name = authenticated.name().map(TextTest::of).orElse(null);
        }

        @Override
        boolean matches(Caller caller) {
            Connection.Peer peer = caller.connection().peer();
            if (peer == null) {
                return false;
            }
            return name == null || any(peer.uriSans()) || any(peer.dnsSans()) || name.matches(peer.subject());
        }

        private boolean any(List<String> names) {
            for (int i = 0; i < names.size(); i++) {
                if (name.matches(names.get(i))) {
                    return true;
                }
            }
            return false;
        }
    }

    private static final class OfHeader extends RuleTest {
        private final HeaderTest header;

        OfHeader(HeaderTest header) {
            this.header = header;
        }

        @Override
        boolean matches(Caller caller) {
            return header.matches(caller.head());
        }
    }

    private static final class OfOneValue extends RuleTest {
        private final HeaderTest header;

        OfOneValue(HeaderTest header) {
            this.header = header;
        }

        @Override
        boolean matches(Caller caller) {
            return header.matchesOne(caller.head());
        }
    }

    private static final class OfPath extends RuleTest {
        private final TextTest path;

        OfPath(TextTest path) {
            this.path = path;
        }

        @Override
        boolean matches(Caller caller) {
            String target = caller.head().path();
            return path.matches(target, 0, PathTest.end(target));
        }
    }

    private static final class OfState extends RuleTest {
        private final String key;
        private final TextTest value;

        OfState(String key, TextTest value) {
            this.key = key;
            this.value = value;
        }

        @Override
        boolean matches(Caller caller) {
            String found = caller.filterState(key);
            return found != null && value.matches(found);
        }
    }

    private static final class OfMetadata extends RuleTest {
        private final String filter;
        private final String[] path;
        private final ValueTest value;
        private final boolean inverted;

        OfMetadata(Rbac.Metadata metadata) {
            filter = metadata.filter();
            path = metadata.path().toArray(new String[0]);
            value = ValueTest.of(metadata.value());
            inverted = metadata.inverted();
        }

        @Override
        boolean matches(Caller caller) {
            Object found = caller.metadata(filter);
            for (int i = 0; i < path.length; i++) {
                found = found instanceof Map<?, ?> object ? object.get(path[i]) : null;
            }
            return value.matches(found) != inverted;
        }
    }

    private static final class OfSource extends RuleTest {
        private final AddressRange range;

        OfSource(AddressRange range) {
            this.range = range;
        }

        @Override
        boolean matches(Caller caller) {
            return range.contains(caller.connection().remoteIp());
        }
    }

    private static final class OfClient extends RuleTest {
        private final AddressRange range;

        OfClient(AddressRange range) {
            this.range = range;
        }

        @Override
        boolean matches(Caller caller) {
            return range.contains(caller.clientIp());
        }
    }

    private static final class OfDestination extends RuleTest {
        private final AddressRange range;

        OfDestination(AddressRange range) {
            this.range = range;
        }

        @Override
        boolean matches(Caller caller) {
            return range.contains(caller.connection().localIp());
        }
    }

    private static final class OfPort extends RuleTest {
        private final int from;
        private final int to;

        OfPort(Rbac.DestinationPort port) {
            from = port.from();
            to = port.to();
        }

        @Override
        boolean matches(Caller caller) {
            return caller.connection().localPort() >= from && caller.connection().localPort() < to;
        }
    }

    private static final class OfServerName extends RuleTest {
        private final TextTest name;

        OfServerName(TextTest name) {
            this.name = name;
        }

        @Override
        boolean matches(Caller caller) {
            return name.matches(caller.connection().serverName());
        }
    }
}
