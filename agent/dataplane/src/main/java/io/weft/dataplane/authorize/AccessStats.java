package io.weft.dataplane.authorize;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;

/** What the rules that are in force have decided. Thread-safe. */
public final class AccessStats {
    /** Guarded by this object's lock; a filter is here for as long as a route holds it. */
    private final List<Named> filters = new ArrayList<>();

    private record Named(String name, WeakReference<RbacFilter> filter) {}

    /**
     * @param filter its name in the listener
     * @param rule the name of a policy or action; {@code -}: what became of requests that none matched
     * @param shadow it is only counted
     * @param count requests, since the rule is in force
     */
    public record RuleStats(String filter, String rule, boolean shadow, boolean allows, long count) {}

    public synchronized void add(String name, RbacFilter filter) {
        filters.removeIf(known -> known.filter.get() == null);
        filters.add(new Named(name, new WeakReference<>(filter)));
    }

    /** In the order of the filters' first appearance, and of the rules in them. */
    public synchronized List<RuleStats> rules() {
        List<RuleStats> rules = new ArrayList<>();
        for (Named named : filters) {
            RbacFilter filter = named.filter.get();
            if (filter != null) {
                filter.verdicts().forEach(verdict -> rules.add(stats(named.name, verdict, false)));
                filter.shadowVerdicts().forEach(verdict -> rules.add(stats(named.name, verdict, true)));
            }
        }
        return rules;
    }

    private static RuleStats stats(String filter, Verdict verdict, boolean shadow) {
        return new RuleStats(filter, verdict.rule(), shadow, verdict.allowed(), verdict.count());
    }
}
