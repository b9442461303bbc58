package io.weft.policy.model;

import java.util.List;
import java.util.Map;

/**
 * {@code envoy.config.endpoint.v3.ClusterLoadAssignment}.
 *
 * @param overprovisioningFactor percent, Envoy's default is 140
 * @param weightedPriorityHealth a priority's health is a share of weights, not of numbers
 */
public record EndpointAssignment(
        String clusterName, List<LocalityEndpoints> localities, int overprovisioningFactor, boolean weightedPriorityHealth)
        implements Resource {
    public static final int DEFAULT_OVERPROVISIONING_FACTOR = 140;

    public EndpointAssignment {
        localities = List.copyOf(localities);
    }

    @Override
    public String name() {
        return clusterName;
    }

    /**
     * @param priority 0 is used first
     * @param weight 0: not given
     */
    public record LocalityEndpoints(Locality locality, int priority, int weight, List<LbEndpoint> endpoints) {
        public LocalityEndpoints {
            endpoints = List.copyOf(endpoints);
        }
    }

    public record Locality(String region, String zone, String subZone) {
        public static final Locality UNKNOWN = new Locality("", "", "");
    }

    /**
     * @param hostname may be empty
     * @param weight 1 or more
     * @param labels the {@code envoy.lb} metadata: values are String, Double, Boolean, List, Map, or an empty Optional for null
     * @param transportLabels the {@code envoy.transport_socket_match} metadata as text
     */
    public record LbEndpoint(
            HostPort address,
            String hostname,
            int weight,
            Health health,
            Map<String, Object> labels,
            Map<String, String> transportLabels) {
        public LbEndpoint {
            labels = Map.copyOf(labels);
            transportLabels = Map.copyOf(transportLabels);
        }
    }

    /** {@code envoy.config.core.v3.HealthStatus}, as far as balancing tells them apart. */
    public enum Health { HEALTHY, DEGRADED, UNHEALTHY, DRAINING }
}
