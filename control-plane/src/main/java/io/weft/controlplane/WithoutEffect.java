package io.weft.controlplane;

import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.References;
import io.weft.controlplane.policy.References.Known;
import io.weft.controlplane.policy.References.Unmet;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.service.Overridden;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Says of policies that they are in order and do nothing: what they name is not there, or another one overrides them. Whoever is named may
 * come later, so each is said once, when the policy is saved. Thread-safe.
 */
final class WithoutEffect {

    private static final int MOST_TOLD = 20;

    private final Supplier<Known> running;
    private final Consumer<String> log;
    /** Guarded by this. */
    private final Set<Unmet> told = new HashSet<>();

    /** @param running who is there now */
    WithoutEffect(Supplier<Known> running, Consumer<String> log) {
        this.running = running;
        this.log = log;
    }

    /** @param before {@link PolicySet#EMPTY}: these are the first, and nobody can be there yet who could be named */
    void changed(PolicySet before, PolicySet now) {
        Map<ResourceId, Collection<String>> overridden = Overridden.in(now);
        overridden.keySet().removeAll(Overridden.in(before).keySet());
        tell(now.inForce().stream()
                .filter(each -> overridden.containsKey(each.resource().metadata().id()))
                .map(each -> each.file() + ":" + each.line() + ": " + each.resource().metadata().id() + ": has no effect, overridden by "
                        + String.join(", ", overridden.get(each.resource().metadata().id())))
                .toList());
        if (before != PolicySet.EMPTY) {
            Set<ResourceId> changed = new HashSet<>(now.changedFrom(before));
            unmet(now, each -> changed.contains(each.by().resource().metadata().id()));
        }
    }

    /** Of all that was not said yet. */
    void unmet(PolicySet now) {
        unmet(now, each -> true);
    }

    private synchronized void unmet(PolicySet now, Predicate<Unmet> chosen) {
        List<Unmet> all = References.unmet(now, running.get());
        told.retainAll(new HashSet<>(all));
        tell(all.stream().filter(chosen).filter(told::add).map(each -> "matches nobody yet: " + each.problem()).toList());
    }

    private void tell(List<String> messages) {
        messages.stream().limit(MOST_TOLD).forEach(log);
        if (messages.size() > MOST_TOLD) {
            log.accept("and " + (messages.size() - MOST_TOLD) + " more like these; the page shows them all");
        }
    }
}
