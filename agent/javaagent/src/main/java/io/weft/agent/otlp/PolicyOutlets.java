package io.weft.agent.otlp;

import io.weft.policy.model.TelemetryService;
import io.weft.policy.model.TelemetryTarget;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Outlets to the collectors that policy names, each for as long as that leads to the same addresses: of several the one that has answered is
 * asked again. For one thread at a time.
 */
public final class PolicyOutlets {
    /** Policy names one or two; those that it has named before need not be kept for good. */
    private static final int MOST = 16;

    private final Function<TelemetryService, Optional<TelemetryTarget>> targets;
    private final Function<TelemetryTarget, Outlet> outlets;
    private final Map<TelemetryService, Known> known = new LinkedHashMap<>();

    private record Known(TelemetryTarget target, Outlet outlet) {}

    /**
     * @param targets by the policy in force
     * @param outlets made anew
     */
    public PolicyOutlets(Function<TelemetryService, Optional<TelemetryTarget>> targets, Function<TelemetryTarget, Outlet> outlets) {
        this.targets = targets;
        this.outlets = outlets;
    }

    /** @return empty: policy leads to no collector that this process could be sure of */
    public Optional<Outlet> of(TelemetryService service) {
        Optional<TelemetryTarget> target = targets.apply(service);
        if (target.isEmpty()) {
            known.remove(service);
            return Optional.empty();
        }
        Known before = known.get(service);
        if (before != null && before.target.equals(target.get())) {
            return Optional.of(before.outlet);
        }
        if (known.size() >= MOST) {
            known.clear();
        }
        Outlet made = outlets.apply(target.get());
        known.put(service, new Known(target.get(), made));
        return Optional.of(made);
    }
}
