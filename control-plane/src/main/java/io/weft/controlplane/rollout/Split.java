package io.weft.controlplane.rollout;

import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.ServiceType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How the requests for one service are shared among its versions, the values of its instances' tag {@code version}.
 *
 * @param policy the name of the policy that says so
 * @param weights by version, in the policy's order; each 0 or more, not all 0
 */
public record Split(String mesh, String service, String policy, Map<String, Long> weights) {

    public Split {
        weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    }

    /** One rule that shares the requests for a service among its versions. */
    public record Rule(int to, int rule, Split split) {}

    /**
     * Every service whose requests are shared among versions by exactly one rule of these policies.
     *
     * @param policies those in force, without shadows
     */
    public static List<Split> of(List<MeshHttpRoute> policies) {
        Map<String, List<Split>> byService = new LinkedHashMap<>();
        for (MeshHttpRoute policy : policies) {
            for (Rule rule : rules(policy)) {
                byService.computeIfAbsent(rule.split().mesh() + '\0' + rule.split().service(), key -> new ArrayList<>())
                        .add(rule.split());
            }
        }
        return byService.values().stream().filter(each -> each.size() == 1).map(each -> each.get(0)).toList();
    }

    /** In the policy's order. */
    public static List<Rule> rules(MeshHttpRoute policy) {
        List<Rule> found = new ArrayList<>();
        for (int to = 0; to < policy.to().size(); to++) {
            MeshHttpRoute.Destination destination = policy.to().get(to).destination();
            Optional<String> service = destination.name().filter(name -> destination.type() == ServiceType.MESH_SERVICE);
            List<MeshHttpRoute.Rule> rules = policy.to().get(to).rules();
            for (int rule = 0; service.isPresent() && rule < rules.size(); rule++) {
                Map<String, Long> weights = weights(rules.get(rule), service.get());
                if (!weights.isEmpty()) {
                    found.add(new Rule(to, rule,
                            new Split(policy.metadata().mesh(), service.get(), policy.metadata().id().name(), weights)));
                }
            }
        }
        return found;
    }

    /** Empty: the rule is not for all requests, or leads elsewhere than to versions of the service. */
    static Map<String, Long> weights(MeshHttpRoute.Rule rule, String service) {
        boolean general = rule.matches().stream().anyMatch(match -> match.headers().isEmpty() && match.query().isEmpty());
        Map<String, Long> weights = new LinkedHashMap<>();
        for (MeshHttpRoute.BackendRef ref : rule.backends().orElse(List.of())) {
            String version = ref.tags().get(Labels.VERSION);
            if (version == null || ref.tags().size() > 1 || !ref.name().equals(Optional.of(service))
                    || weights.put(version, ref.weight()) != null) {
                return Map.of();
            }
        }
        return general ? weights : Map.of();
    }

    /** The share of a version in percent, rounded. */
    public long percent(String version) {
        long all = weights.values().stream().mapToLong(Long::longValue).sum();
        return all == 0 ? 0 : Math.round(100.0 * weights.getOrDefault(version, 0L) / all);
    }
}
