package io.weft.controlplane.service;

import io.weft.controlplane.policy.Conf;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshTls;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.ResourceId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.BinaryOperator;
import java.util.stream.Stream;

/**
 * Which policies have no effect, whoever is connected: for all that such a one says there is another of its kind, with the same
 * {@code targetRef}s and of higher precedence, that says at least as much. What is overridden by several only together, or by one for others
 * than it is for itself, is not told.
 */
public final class Overridden {

    private static final Comparator<Metadata> BY_NAME = Comparator.comparing(Metadata::displayName, Comparator.reverseOrder());
    private static final Comparator<Policy> POLICIES = OutboundRules.precedence().thenComparing(Policy::metadata, BY_NAME);
    private static final Comparator<MeshHttpRoute> ROUTES =
            Comparator.comparing(MeshHttpRoute::metadata, RouteRules.BY_ROLE.thenComparing(BY_NAME));
    private static final Comparator<MeshTls> TLS = Comparator.comparing(MeshTls::metadata, BY_NAME);

    /**
     * Two entries of which one may override the other have the same, but for the namespace.
     *
     * @param within the namespace whose data planes it is for alone; empty: it is for those of all
     */
    private record Subject(String mesh, String within, Object kind, Object target, Object of) {

        Subject ofAll() {
            return new Subject(mesh, "", kind, target, of);
        }
    }

    /** One entry, by how it is merged with another. */
    private record Entry<P extends Resource, C>(P policy, Subject subject, C conf, Comparator<? super P> precedence, BinaryOperator<C> over) {

        Metadata metadata() {
            return policy.metadata();
        }

        /** The two have equal subjects, and so are of the same class. */
        @SuppressWarnings("unchecked")
        boolean isUnder(Entry<?, ?> other) {
            Entry<P, C> higher = (Entry<P, C>) other;
            return precedence.compare(policy, higher.policy) < 0
                    && over.apply(higher.conf, conf).equals(higher.conf);
        }

        @SuppressWarnings("unchecked")
        int compare(Entry<?, ?> other) {
            return precedence.compare(policy, (P) other.policy);
        }
    }

    private final Map<Subject, List<Entry<?, ?>>> bySubject = new HashMap<>();
    private final Map<ResourceId, List<Entry<?, ?>>> byPolicy = new HashMap<>();

    private Overridden(PolicySet policies) {
        for (PolicySet.Sourced sourced : policies.inForce()) {
            if (sourced.resource().metadata().shadow()) {
                continue;
            }
            if (sourced.resource() instanceof Policy policy) {
                read(policy);
            } else if (sourced.resource() instanceof MeshHttpRoute route) {
                read(route);
            } else if (sourced.resource() instanceof MeshTls tls) {
                add(new Entry<>(tls, subject(tls, MeshTls.class, tls.target(), ""), tls.settings(), TLS, MeshTls.Settings::over));
            }
        }
    }

    /** The names of those that override a policy, of its kind and mesh. */
    public static Map<ResourceId, Collection<String>> in(PolicySet policies) {
        Overridden entries = new Overridden(policies);
        Map<ResourceId, Collection<String>> overridden = new HashMap<>();
        entries.byPolicy.forEach((id, own) -> {
            Collection<String> by = new TreeSet<>();
            for (Entry<?, ?> entry : own) {
                Optional<Entry<?, ?>> winner = entries.over(entry);
                if (winner.isEmpty()) {
                    return;
                }
                by.add(winner.get().metadata().id().name());
            }
            overridden.put(id, by);
        });
        return overridden;
    }

    private Optional<Entry<?, ?>> over(Entry<?, ?> entry) {
        return Stream.of(entry.subject, entry.subject.ofAll()).distinct()
                .flatMap(subject -> bySubject.getOrDefault(subject, List.of()).stream())
                .filter(entry::isUnder).max(Entry::compare);
    }

    private void read(Policy policy) {
        policy.to().forEach(to -> add(policy, to.destination(), to.conf()));
        // Of these two kinds each entry for what comes in acts beside the others.
        boolean merged = policy.kind() != PolicyKinds.FAULT_INJECTION && policy.kind() != PolicyKinds.ACCESS_LOG;
        policy.rules().forEach(rule -> add(policy, merged ? rule.peers() : new Object(), rule.conf()));
        policy.own().ifPresent(own -> add(policy, "", own));
    }

    private void add(Policy policy, Object of, Conf conf) {
        add(new Entry<>(policy, subject(policy, policy.kind(), policy.target(), of), conf, POLICIES,
                (higher, lower) -> Conf.merge(List.of(lower, higher))));
    }

    private void read(MeshHttpRoute route) {
        List<Object> target = List.of(route.target(), route.unmatched());
        for (MeshHttpRoute.To to : route.to()) {
            for (MeshHttpRoute.Rule rule : to.rules()) {
                add(new Entry<>(route, subject(route, route.metadata().id().type(), target, List.of(to.destination(), rule.matches())),
                        rule, ROUTES, (higher, lower) -> RouteRules.override(lower, higher)));
            }
        }
    }

    private static Subject subject(Resource policy, Object kind, Object target, Object of) {
        Metadata metadata = policy.metadata();
        String within = metadata.isOfItsNamespace() ? String.valueOf(metadata.label(Labels.NAMESPACE)) : "";
        return new Subject(metadata.mesh(), within, kind, target, of);
    }

    private void add(Entry<?, ?> entry) {
        bySubject.computeIfAbsent(entry.subject, first -> new ArrayList<>()).add(entry);
        byPolicy.computeIfAbsent(entry.metadata().id(), first -> new ArrayList<>()).add(entry);
    }
}
