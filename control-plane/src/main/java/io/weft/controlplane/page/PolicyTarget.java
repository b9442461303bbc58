package io.weft.controlplane.page;

import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshIdentity;
import io.weft.controlplane.policy.MeshTls;
import io.weft.controlplane.policy.MeshTrafficPermission;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.TargetRef;
import io.weft.controlplane.registry.ClientNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Whom a policy configures, as people read it. */
final class PolicyTarget {

    private PolicyTarget() {}

    static boolean selects(Resource policy, ClientNode node) {
        if (policy instanceof MeshIdentity identity) {
            return identity.service().map(node.workload().service()::equals).orElse(true);
        }
        return target(policy).map(target -> target.selects(node.metadata(), node.tags())).orElse(false);
    }

    /** Empty: it selects nobody, but describes something. */
    static String describe(Resource policy) {
        if (policy instanceof MeshIdentity identity) {
            return identity.service().orElse("everyone");
        }
        String who = target(policy).map(PolicyTarget::describe).orElse("");
        if (policy instanceof MeshHttpRoute route) {
            List<String> to = new ArrayList<>();
            route.to().forEach(each -> to.add(each.destination().name().orElse(labels(each.destination().labels()))));
            return who + " \u2192 " + String.join(", ", to);
        }
        return who;
    }

    private static Optional<TargetRef> target(Resource policy) {
        if (policy instanceof MeshHttpRoute route) {
            return Optional.of(route.target());
        }
        if (policy instanceof MeshTls tls) {
            return Optional.of(tls.target().dataplanes());
        }
        return policy instanceof MeshTrafficPermission permission
                ? Optional.of(permission.target().dataplanes())
                : Optional.empty();
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
        TargetRef.ServiceSubset subset = (TargetRef.ServiceSubset) target;
        return subset.service() + ", " + labels(subset.tags());
    }

    private static String labels(Map<String, String> labels) {
        List<String> parts = new ArrayList<>();
        new TreeMap<>(labels).forEach((name, value) -> parts.add(name + "=" + value));
        return String.join(", ", parts);
    }
}
