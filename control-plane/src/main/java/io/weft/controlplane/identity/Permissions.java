package io.weft.controlplane.identity;

import io.weft.controlplane.policy.MeshTrafficPermission;
import io.weft.controlplane.policy.MeshTrafficPermission.Action;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.MeshTrafficPermission.From;
import io.weft.controlplane.policy.MeshTrafficPermission.OfService;
import io.weft.controlplane.policy.MeshTrafficPermission.Rule;
import io.weft.controlplane.policy.Metadata;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * Who may call one inbound. The first entry that matches decides; where none matches the answer is no.
 *
 * @param shadow what would be decided if the calls allowed for the time being were not; empty: the same
 */
public record Permissions(List<Entry> entries, List<Entry> shadow) {

    public Permissions {
        entries = List.copyOf(entries);
        shadow = List.copyOf(shadow);
    }

    /** @param callers one of them must match */
    public record Entry(List<Caller> callers, boolean allows, Metadata policy) {
        public Entry {
            callers = List.copyOf(callers);
        }
    }

    private record Ranked(MeshTrafficPermission policy, From from) {}

    /**
     * As Kuma joins them: rules of all policies add up, every deny before any allow; the older form, where the most specific entry
     * counts, only where there are no rules at all.
     *
     * @param policies that apply
     * @param callers the SPIFFE IDs that a source of the older form stands for
     */
    static Permissions of(
            List<MeshTrafficPermission> policies, Function<MeshTrafficPermission.Source, List<Caller>> callers) {
        List<MeshTrafficPermission> ascending = policies.stream()
                .sorted(Comparator.<MeshTrafficPermission>comparingInt(policy -> policy.target().rank())
                        .thenComparing(policy -> policy.metadata().displayName(), Comparator.reverseOrder()))
                .toList();
        boolean rules = ascending.stream().anyMatch(policy -> !policy.rules().isEmpty());
        return rules ? ofRules(ascending) : ofSources(ascending, callers);
    }

    private static Permissions ofRules(List<MeshTrafficPermission> policies) {
        List<Entry> denials = new ArrayList<>();
        List<Entry> grants = new ArrayList<>();
        List<Entry> shadow = new ArrayList<>();
        for (MeshTrafficPermission policy : policies) {
            for (Rule rule : policy.rules()) {
                List<Caller> allowed = new ArrayList<>(rule.allow());
                allowed.addAll(rule.allowWithShadowDeny());
                add(denials, rule.deny(), false, policy);
                add(grants, allowed, true, policy);
                add(shadow, rule.allowWithShadowDeny(), false, policy);
            }
        }
        denials.addAll(grants);
        return new Permissions(denials, shadow);
    }

    private static void add(List<Entry> entries, List<Caller> callers, boolean allows, MeshTrafficPermission policy) {
        if (!callers.isEmpty()) {
            entries.add(new Entry(callers, allows, policy.metadata()));
        }
    }

    private static Permissions ofSources(
            List<MeshTrafficPermission> policies, Function<MeshTrafficPermission.Source, List<Caller>> callers) {
        List<Ranked> ascending = new ArrayList<>();
        policies.forEach(policy -> policy.from().forEach(from -> ascending.add(new Ranked(policy, from))));
        // Stable: of equals the later one counts.
        ascending.sort(Comparator.<Ranked>comparingInt(each -> each.from.source() instanceof OfService ? 1 : 0)
                .thenComparingInt(each -> each.policy.target().rank()));
        List<Entry> entries = new ArrayList<>();
        List<Entry> shadow = new ArrayList<>();
        for (int i = ascending.size() - 1; i >= 0; i--) {
            Ranked each = ascending.get(i);
            List<Caller> matching = callers.apply(each.from.source());
            add(entries, matching, each.from.action() != Action.DENY, each.policy);
            add(shadow, matching, each.from.action() == Action.ALLOW, each.policy);
        }
        boolean differs = ascending.stream().anyMatch(each -> each.from.action() == Action.ALLOW_WITH_SHADOW_DENY);
        return new Permissions(entries, differs ? shadow : List.of());
    }
}
