package io.weft.controlplane.service;

import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshHttpRoute.Match;
import io.weft.controlplane.policy.MeshHttpRoute.Rule;
import io.weft.controlplane.policy.Metadata;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Which rules apply to one port of one service, merged from all policies as Kuma merges them: policies in the order of how
 * specific their {@code targetRef} is, then by role, then with a section name before without, then by name, the
 * alphabetically first winning; rules with equal matches become one, in which the winner's filters and backends replace the
 * other's. Single matches are then sorted by Gateway API's precedence, as Kuma sorts them: a match without a path comes after
 * any with one. A {@code MeshTCPRoute} counts where there is no route of requests.
 *
 * <p>Routes of Gateway API are merged among those of the service's namespace, or among those of the caller's, which then are the only
 * ones (GEP-1294, "Multiple routes for a Service").
 */
public final class RouteRules {

    private static final Match EVERYTHING = new Match(
            Optional.of(new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.PREFIX, "/")),
            Optional.empty(),
            List.of(),
            List.of());

    private static final List<String> ROLES = List.of("system", "producer", "consumer", "workload-owner");

    static final Comparator<Metadata> BY_ROLE = Comparator.comparingInt(policy -> Math.max(0, ROLES.indexOf(policy.role())));

    /**
     * One match and what it leads to.
     *
     * @param origin the policy and the number of its rule; absent for the route that is always there
     * @param match has a path
     */
    public record Resolved(Optional<Origin> origin, Match match, Rule rule) {}

    public record Origin(Metadata policy, int rule) {}

    private record Entry(MeshHttpRoute policy, MeshHttpRoute.To to) {}

    private record Merged(Origin origin, Rule rule) {}

    /** @param policies those that apply to the data plane in question */
    public static List<Resolved> of(Service service, Service.Port port, List<MeshHttpRoute> policies) {
        List<Entry> entries = new ArrayList<>();
        for (MeshHttpRoute policy : policies) {
            for (MeshHttpRoute.To to : policy.to()) {
                if (isFor(to.destination(), service, port)) {
                    entries.add(new Entry(policy, to));
                }
            }
        }
        if (entries.stream().anyMatch(entry -> !entry.policy().ofConnections())) {
            entries.removeIf(entry -> entry.policy().ofConnections());
        }
        if (entries.stream().anyMatch(entry -> isOfGateway(entry, "consumer"))) {
            entries.removeIf(entry -> isOfGateway(entry, "producer"));
        }
        entries.sort(ASCENDING);
        List<Resolved> resolved = new ArrayList<>();
        for (Merged merged : merge(entries)) {
            for (Match match : merged.rule().matches()) {
                resolved.add(new Resolved(Optional.of(merged.origin()), match, merged.rule()));
            }
        }
        resolved.sort(Comparator.comparing(Resolved::match, RouteRules::compare));
        boolean forwarded = entries.stream().noneMatch(entry -> entry.policy().unmatched() == MeshHttpRoute.Unmatched.NOT_FOUND);
        if (forwarded && resolved.stream().noneMatch(route -> route.match().equals(EVERYTHING))) {
            Rule rule = new Rule(List.of(EVERYTHING), Optional.empty(), Optional.empty(), Optional.empty());
            resolved.add(new Resolved(Optional.empty(), EVERYTHING, rule));
        }
        resolved.replaceAll(RouteRules::withPath);
        return resolved;
    }

    /** Whether a policy says anything about it. */
    public static boolean isFor(MeshHttpRoute.Destination destination, Service service, Service.Port port) {
        boolean named = destination.name().isPresent()
                ? destination.name().get().equals(service.name()) && service.metadata().isOf(destination.namespace())
                : service.metadata().has(destination.labels());
        return destination.type() == service.type() && named && destination.section().map(port::is).orElse(true);
    }

    private static final Comparator<Entry> ASCENDING = Comparator
            .<Entry>comparingInt(entry -> entry.policy().target().rank())
            .thenComparing(entry -> entry.policy().metadata(), BY_ROLE)
            .thenComparingInt(entry -> entry.to().destination().section().isPresent() ? 1 : 0)
            .thenComparing(entry -> entry.policy().metadata().displayName(), Comparator.reverseOrder());

    private static boolean isOfGateway(Entry entry, String role) {
        return entry.policy().unmatched() == MeshHttpRoute.Unmatched.NOT_FOUND && entry.policy().metadata().role().equals(role);
    }

    /** From the rule that wins to the one that loses. */
    private static List<Merged> merge(List<Entry> ascending) {
        List<Merged> merged = new ArrayList<>();
        for (Entry entry : ascending) {
            List<Rule> rules = entry.to().rules();
            // Within a policy the first rule wins, so from the losing end it comes last.
            for (int i = rules.size() - 1; i >= 0; i--) {
                Merged next = new Merged(new Origin(entry.policy().metadata(), i), rules.get(i));
                for (int j = 0; j < merged.size(); j++) {
                    if (merged.get(j).rule().matches().equals(next.rule().matches())) {
                        next = new Merged(next.origin(), override(merged.remove(j).rule(), next.rule()));
                        break;
                    }
                }
                merged.add(next);
            }
        }
        Collections.reverse(merged);
        return merged;
    }

    static Rule override(Rule lower, Rule higher) {
        return new Rule(
                higher.matches(),
                higher.filters().or(lower::filters),
                higher.backends().or(lower::backends),
                higher.attempts().or(lower::attempts));
    }

    private static Resolved withPath(Resolved route) {
        Match match = route.match();
        return match.path().isPresent()
                ? route
                : new Resolved(
                        route.origin(),
                        new Match(EVERYTHING.path(), match.method(), match.headers(), match.query()),
                        route.rule());
    }

    private static int compare(Match a, Match b) {
        int path = comparePath(a.path(), b.path());
        if (path != 0) {
            return path;
        }
        if (a.method().isPresent() != b.method().isPresent()) {
            return a.method().isPresent() ? -1 : 1;
        }
        int headers = Integer.compare(b.headers().size(), a.headers().size());
        return headers != 0 ? headers : Integer.compare(b.query().size(), a.query().size());
    }

    private static int comparePath(Optional<MeshHttpRoute.Path> a, Optional<MeshHttpRoute.Path> b) {
        if (a.isEmpty() || b.isEmpty()) {
            return Boolean.compare(a.isEmpty(), b.isEmpty());
        }
        MeshHttpRoute.Path.Kind kind = a.get().kind();
        if (kind != b.get().kind()) {
            return kind.compareTo(b.get().kind());
        }
        return kind == MeshHttpRoute.Path.Kind.EXACT
                ? 0
                : Integer.compare(b.get().value().length(), a.get().value().length());
    }

    private RouteRules() {}
}
