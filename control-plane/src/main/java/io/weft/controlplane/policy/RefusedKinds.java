package io.weft.controlplane.policy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Kuma's resources that are not taken, and why not. */
final class RefusedKinds {

    private static final String GATEWAY = "gateways are not served; the gateway that is there already is a client like any other";
    private static final String ZONES = "there is one control plane and no proxy between zones";
    private static final String BY_ITSELF = "what it describes is found by the control plane itself";
    private static final String OLDER = "Kuma has replaced it; write a ";

    private static final Map<String, String> REASONS = reasons();

    private static Map<String, String> reasons() {
        Map<String, String> reasons = new LinkedHashMap<>();
        reasons.put("MeshProxyPatch", "it patches what is written for one version of one proxy, and nothing tells what it would mean in an app");
        reasons.put("MeshGlobalRateLimit", "it needs Kong's rate limit service; MeshRateLimit limits each instance by itself");
        reasons.put("MeshOPA", "it is not supported yet; MeshTrafficPermission says who may call");
        for (String kind : new String[] {"MeshGateway", "MeshGatewayRoute", "MeshGatewayInstance", "MeshGatewayConfig"}) {
            reasons.put(kind, GATEWAY);
        }
        for (String kind : new String[] {"Zone", "ZoneIngress", "ZoneEgress", "MeshZoneAddress"}) {
            reasons.put(kind, ZONES);
        }
        for (String kind : new String[] {"HostnameGenerator", "Workload", "ServiceInsight"}) {
            reasons.put(kind, BY_ITSELF);
        }
        for (String kind : new String[] {"Secret", "GlobalSecret"}) {
            reasons.put(kind, "a key belongs in a file of its own, which a policy names");
        }
        reasons.put("ContainerPatch", "containers are the injector's affair");
        reasons.put("ExternalService", OLDER + "MeshExternalService");
        reasons.put("CircuitBreaker", OLDER + "MeshCircuitBreaker");
        reasons.put("FaultInjection", OLDER + "MeshFaultInjection");
        reasons.put("HealthCheck", OLDER + "MeshHealthCheck");
        reasons.put("RateLimit", OLDER + "MeshRateLimit");
        reasons.put("Retry", OLDER + "MeshRetry");
        reasons.put("Timeout", OLDER + "MeshTimeout");
        reasons.put("TrafficLog", OLDER + "MeshAccessLog");
        reasons.put("TrafficPermission", OLDER + "MeshTrafficPermission");
        reasons.put("TrafficRoute", OLDER + "MeshHTTPRoute");
        reasons.put("VirtualOutbound", OLDER + "MeshService");
        reasons.put("TrafficTrace", OLDER + "MeshTrace");
        reasons.put("ProxyTemplate", "it is written for one version of one proxy");
        return reasons;
    }

    /** Absent: Kuma has no such resource. */
    static Optional<String> reason(String kind) {
        return Optional.ofNullable(REASONS.get(kind));
    }

    private RefusedKinds() {}
}
