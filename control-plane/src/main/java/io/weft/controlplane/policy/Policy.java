package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One of Kuma's policies that are merged with others of their kind: what it says of what data planes send, of what they are sent, or
 * of them themselves.
 *
 * @param to for what is sent, by where it goes
 * @param rules for what comes in, by who sends it
 * @param own of the data plane, whatever it sends or is sent
 */
public record Policy(
        Metadata metadata, PolicyKind<?> kind, InboundTarget target, List<To> to, List<Rule> rules, Optional<Conf> own)
        implements Resource {

    public Policy {
        to = List.copyOf(to);
        rules = List.copyOf(rules);
    }

    public record To(Destination destination, Conf conf) {}

    public sealed interface Destination {

        /** Kuma's order of kinds: an entry with a higher rank overrides one with a lower. */
        int rank();
    }

    /** All that is sent. */
    public record Everything() implements Destination {
        @Override
        public int rank() {
            return 10;
        }
    }

    /**
     * @param type of service
     * @param name absent: the labels select
     * @param namespace of what is named; empty: any
     * @param section a port's name or number; absent: all ports
     */
    public record Services(
            ServiceType type, Optional<String> name, String namespace, Map<String, String> labels, Optional<String> section)
            implements Destination {
        public Services {
            labels = Map.copyOf(labels);
        }

        @Override
        public int rank() {
            return 50 + 10 * type.ordinal() + (section.isPresent() ? 5 : 0);
        }
    }

    /**
     * What a route leads somewhere.
     *
     * @param name absent: the labels select
     * @param namespace of what is named; empty: any
     */
    public record Routes(Optional<String> name, String namespace, Map<String, String> labels) implements Destination {
        public Routes {
            labels = Map.copyOf(labels);
        }

        @Override
        public int rank() {
            return 90;
        }

        public boolean include(Metadata route) {
            return !route.id().type().equals(MeshHttpRoute.OF_CONNECTIONS) && name.map(named -> named.equals(route.displayName()) && route.isOf(namespace)).orElseGet(() -> route.has(labels));
        }
    }

    public record Rule(Peers peers, Conf conf) {}

    /** Who sends. */
    public sealed interface Peers {}

    public record Anyone() implements Peers {}

    /** Those of a service, whoever they are by certificate. */
    public record OfService(String service) implements Peers {}

    /** @param callers one of them must match */
    public record Matching(List<Caller> callers) implements Peers {
        public Matching {
            callers = List.copyOf(callers);
        }
    }
}
