package io.weft.dataplane.authorize;

import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.StringMatch;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which names a rule asks a peer for, where it can be told without the request. */
final class PeerNames {
    private PeerNames() {}

    /** @return names of which a peer must have one if any of the rules is to match; empty where a peer without them may, too */
    static Optional<Set<String>> ofAny(List<Rule> rules) {
        Set<String> all = new HashSet<>();
        for (Rule rule : rules) {
            Optional<Set<String>> names = of(rule);
            if (names.isEmpty()) {
                return names;
            }
            all.addAll(names.get());
        }
        return Optional.of(all);
    }

    /** Whether a peer matches that has one of the names of {@link #ofAny}: nothing else is asked of it. */
    static boolean suffice(List<Rule> rules) {
        return rules.stream().allMatch(rule -> rule instanceof Rbac.Or or
                ? suffice(or.any())
                : rule instanceof Rbac.Authenticated && of(rule).isPresent());
    }

    private static Optional<Set<String>> of(Rule rule) {
        if (rule instanceof Rbac.Authenticated authenticated) {
            return authenticated.name()
                    .filter(name -> name instanceof StringMatch.Exact exact && !exact.ignoreCase())
                    .map(name -> Set.of(((StringMatch.Exact) name).value()));
        }
        if (rule instanceof Rbac.Or or) {
            return ofAny(or.any());
        }
        if (rule instanceof Rbac.And and) {
            return and.all().stream().map(PeerNames::of).flatMap(Optional::stream).findFirst();
        }
        return Optional.empty();
    }
}
