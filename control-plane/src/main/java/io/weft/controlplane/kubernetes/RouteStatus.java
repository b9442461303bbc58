package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRouteStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.ParentReference;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatusBuilder;
import io.weft.controlplane.kubernetes.GatewayRoute.Unresolved;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is to be said of a route to whoever made it: by Gateway API's conditions {@code Accepted} and {@code ResolvedRefs}.
 *
 * @param refusal why nothing of it is applied
 * @param unresolved the first reference that leads nowhere
 */
record RouteStatus(HasMetadata route, List<Parent> parents, Optional<String> refusal, Optional<Unresolved> unresolved) {

    static final String CONTROLLER = "weft.io/mesh";

    private static final int MAX_MESSAGE = 1_000;

    /** @param refusal why it is attached to nothing there */
    record Parent(ParentReference reference, Optional<Unresolved> refusal) {}

    /**
     * The status with our part as it should be; empty: it is so already. What others have written stays, and where it is: two who put
     * their own part last would write for ever.
     *
     * @param now for what changes, in RFC 3339
     */
    Optional<List<RouteParentStatus>> next(HasMetadata current, String now) {
        List<RouteParentStatus> said = said(current);
        List<RouteParentStatus> next = new ArrayList<>();
        List<Parent> missing = new ArrayList<>(parents);
        for (RouteParentStatus status : said) {
            if (!CONTROLLER.equals(status.getControllerName())) {
                next.add(status);
                continue;
            }
            missing.stream()
                    .filter(parent -> parent.reference.equals(status.getParentRef()))
                    .findFirst()
                    .ifPresent(parent -> {
                        missing.remove(parent);
                        next.add(status(parent, status.getConditions(), now));
                    });
        }
        missing.forEach(parent -> next.add(status(parent, List.of(), now)));
        return next.equals(said) ? Optional.empty() : Optional.of(next);
    }

    private RouteParentStatus status(Parent parent, List<Condition> before, String now) {
        return new RouteParentStatusBuilder()
                .withParentRef(parent.reference)
                .withControllerName(CONTROLLER)
                .withConditions(accepted(parent, before, now), resolved(before, now))
                .build();
    }

    private Condition accepted(Parent parent, List<Condition> before, String now) {
        if (refusal.isPresent()) {
            return condition("Accepted", false, "UnsupportedValue", refusal.get(), before, now);
        }
        return parent.refusal
                .map(each -> condition("Accepted", false, each.reason(), each.message(), before, now))
                .orElseGet(() -> condition("Accepted", true, "Accepted", "", before, now));
    }

    private Condition resolved(List<Condition> before, String now) {
        return unresolved
                .map(each -> condition("ResolvedRefs", false, each.reason(), each.message(), before, now))
                .orElseGet(() -> condition("ResolvedRefs", true, "ResolvedRefs", "", before, now));
    }

    private Condition condition(String type, boolean is, String reason, String message, List<Condition> before, String now) {
        String status = is ? "True" : "False";
        String since = before.stream()
                .filter(condition -> type.equals(condition.getType()) && status.equals(condition.getStatus()))
                .findFirst()
                .map(Condition::getLastTransitionTime)
                .orElse(now);
        return new ConditionBuilder()
                .withType(type)
                .withStatus(status)
                .withReason(reason)
                .withMessage(message.length() > MAX_MESSAGE ? message.substring(0, MAX_MESSAGE) : message)
                .withObservedGeneration(route.getMetadata().getGeneration())
                .withLastTransitionTime(since)
                .build();
    }

    static List<RouteParentStatus> said(HasMetadata route) {
        List<RouteParentStatus> said = null;
        if (route instanceof HTTPRoute http && http.getStatus() != null) {
            said = http.getStatus().getParents();
        } else if (route instanceof GRPCRoute grpc && grpc.getStatus() != null) {
            said = grpc.getStatus().getParents();
        }
        return said == null ? List.of() : said;
    }

    /** Nothing: it has no status, since one without parents is none to the API server. */
    static void say(HasMetadata route, List<RouteParentStatus> parents) {
        if (route instanceof HTTPRoute http && parents.isEmpty()) {
            http.setStatus(null);
        } else if (route instanceof GRPCRoute grpc && parents.isEmpty()) {
            grpc.setStatus(null);
        } else if (route instanceof HTTPRoute http) {
            HTTPRouteStatus status = http.getStatus() == null ? new HTTPRouteStatus() : http.getStatus();
            status.setParents(parents);
            http.setStatus(status);
        } else {
            GRPCRoute grpc = (GRPCRoute) route;
            GRPCRouteStatus status = grpc.getStatus() == null ? new GRPCRouteStatus() : grpc.getStatus();
            status.setParents(parents);
            grpc.setStatus(status);
        }
    }
}
