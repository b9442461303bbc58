package io.weft.controlplane.page;

import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshIdentity;
import io.weft.controlplane.policy.MeshTls;
import io.weft.controlplane.policy.MeshTrafficPermission;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.TargetRef;
import io.weft.controlplane.registry.ClientNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Whom a policy configures, as people read it. */
final class PolicyTarget {

    private PolicyTarget() {}

    /** @param routes that are applied in the policy's mesh */
    static boolean selects(Resource policy, ClientNode node, List<MeshHttpRoute> routes) {
        if (policy instanceof MeshIdentity identity) {
            return identity.service().map(node.workload().service()::equals).orElse(true);
        }
        Optional<TargetRef> target = target(policy);
        if (target.isEmpty() || !policy.metadata().reaches(node.metadata())) {
            return false;
        }
        if (target.get() instanceof TargetRef.OfRoutes of) {
            return routes.stream()
                    .filter(route -> of.routes().include(route.metadata()) && policy.metadata().reaches(route.metadata()))
                    .anyMatch(route -> route.target().selects(node.metadata(), node.tags()));
        }
        return target.get().selects(node.metadata(), node.tags());
    }

    /** Empty: it selects nobody, but describes something. */
    static String describe(Resource policy) {
        if (policy instanceof MeshIdentity identity) {
            return identity.service().orElse("everyone");
        }
        String who = target(policy).map(PolicyTarget::describe).orElse("");
        Set<String> to = new LinkedHashSet<>();
        if (policy instanceof MeshHttpRoute route) {
            route.to().forEach(each -> to.add(named(each.destination().name(), each.destination().labels())));
        } else if (policy instanceof Policy merged) {
            merged.to().forEach(each -> to.add(describe(each.destination())));
        }
        return to.isEmpty() ? who : who + " \u2192 " + String.join(", ", to);
    }

    private static String describe(Policy.Destination destination) {
        if (destination instanceof Policy.Services services) {
            return named(services.name(), services.labels());
        }
        return destination instanceof Policy.Routes routes ? describe(routes) : "everything";
    }

    private static String describe(Policy.Routes routes) {
        return "route " + named(routes.name(), routes.labels());
    }

    private static String named(Optional<String> name, Map<String, String> labels) {
        return name.orElseGet(() -> labels(labels));
    }

    private static Optional<TargetRef> target(Resource policy) {
        if (policy instanceof MeshHttpRoute route) {
            return Optional.of(route.target());
        }
        if (policy instanceof MeshTls tls) {
            return Optional.of(tls.target().dataplanes());
        }
        if (policy instanceof MeshTrafficPermission permission) {
            return Optional.of(permission.target().dataplanes());
        }
        return policy instanceof Policy merged ? Optional.of(merged.target().dataplanes()) : Optional.empty();
    }

    private static String describe(TargetRef target) {
        if (target instanceof TargetRef.WholeMesh) {
            return "everyone";
        }
        if (target instanceof TargetRef.Dataplanes dataplanes) {
            return dataplanes.name().orElse(dataplanes.labels().isEmpty() ? "everyone" : labels(dataplanes.labels()));
        }
        if (target instanceof TargetRef.Subset subset) {
            return labels(subset.tags());
        }
        if (target instanceof TargetRef.OfService service) {
            return service.service();
        }
        if (target instanceof TargetRef.OfRoutes of) {
            return "those of " + describe(of.routes());
        }
        if (target instanceof TargetRef.Selected selected) {
            return describe(selected.target());
        }
        TargetRef.ServiceSubset subset = (TargetRef.ServiceSubset) target;
        return subset.service() + ", " + labels(subset.tags());
    }

    private static String labels(Map<String, String> labels) {
        List<String> parts = new ArrayList<>();
        new TreeMap<>(labels).forEach((name, value) -> parts.add(name + "=" + value));
        return String.join(", ", parts);
    }
}
