package io.weft.policy.parse;

import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.HostPort;
import io.weft.policy.proto.envoy.config.core.v3.HealthStatus;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code envoy.config.endpoint.v3.ClusterLoadAssignment}, on its own or inside a cluster. */
final class EndpointParser {
    private static final int MAX_PRIORITY = 128;
    static final String LB_METADATA = "envoy.lb";
    private static final String TRANSPORT_METADATA = "envoy.transport_socket_match";

    private final AddressParser addresses;

    private EndpointParser(AddressParser addresses) {
        this.addresses = addresses;
    }

    static EndpointAssignment withLiterals(Field field, ClusterLoadAssignment assignment) {
        return new EndpointParser(AddressParser.LITERAL).parse(field, assignment);
    }

    static EndpointAssignment withHostNames(Field field, ClusterLoadAssignment assignment) {
        return new EndpointParser(AddressParser.HOST_NAME).parse(field, assignment);
    }

    private EndpointAssignment parse(Field field, ClusterLoadAssignment assignment) {
        field.at("cluster_name").notEmpty(assignment.getClusterName());
        field.refuseIf(assignment.getNamedEndpointsCount() > 0, "named_endpoints",
                "is not supported; put the endpoints into endpoints[].lb_endpoints");
        int overprovisioning = policy(field.at("policy"), assignment.getPolicy());

        List<LocalityEndpoints> localities = new ArrayList<>(assignment.getEndpointsCount());
        Map<Integer, Long> weights = new HashMap<>();
        Set<HostPort> known = new HashSet<>();
        for (int i = 0; i < assignment.getEndpointsCount(); i++) {
            Field at = field.at("endpoints", i);
            LocalityEndpoints locality = locality(at, assignment.getEndpoints(i), known);
            long sum = weights.getOrDefault(locality.priority(), 0L) + locality.weight();
            weights.put(locality.priority(), sum);
            at.refuseIf(sum > Integer.MAX_VALUE, "load_balancing_weight", "the localities of priority " + locality.priority()
                    + " weigh more than " + Integer.MAX_VALUE + " together");
            localities.add(locality);
        }
        return new EndpointAssignment(
                assignment.getClusterName(),
                localities,
                overprovisioning,
                assignment.getPolicy().getWeightedPriorityHealth());
    }

    private static int policy(Field field, ClusterLoadAssignment.Policy policy) {
        for (int i = 0; i < policy.getDropOverloadsCount(); i++) {
            if (policy.getDropOverloads(i).getDropPercentage().getNumerator() != 0) {
                throw field.at("drop_overloads", i).refuse("is not supported; use circuit breakers");
            }
        }
        field.reportIf(policy.hasEndpointStaleAfter(), "endpoint_stale_after");
        if (!policy.hasOverprovisioningFactor()) {
            return EndpointAssignment.DEFAULT_OVERPROVISIONING_FACTOR;
        }
        int factor = policy.getOverprovisioningFactor().getValue();
        field.refuseIf(factor == 0, "overprovisioning_factor", "must be greater than zero");
        return Field.limit(factor);
    }

    @SuppressWarnings("deprecation") // load_balancer_endpoints
    private LocalityEndpoints locality(Field field, LocalityLbEndpoints locality, Set<HostPort> known) {
        field.refuseIf(locality.hasLedsClusterLocalityConfig(), "leds_cluster_locality_config",
                "is not supported; send lb_endpoints");
        field.refuseIf(locality.hasLoadBalancerEndpoints(), "load_balancer_endpoints", "is not supported; send lb_endpoints");
        field.reportIf(locality.hasProximity(), "proximity");
        int priority = locality.getPriority();
        field.refuseIf(priority < 0 || priority > MAX_PRIORITY, "priority", "must be 0 to " + MAX_PRIORITY);
        int weight = 0;
        if (locality.hasLoadBalancingWeight()) {
            weight = weight(field.at("load_balancing_weight"), locality.getLoadBalancingWeight().getValue());
        }
        List<LbEndpoint> endpoints = new ArrayList<>(locality.getLbEndpointsCount());
        long sum = 0;
        for (int i = 0; i < locality.getLbEndpointsCount(); i++) {
            Field at = field.at("lb_endpoints", i);
            LbEndpoint endpoint = endpoint(at, locality.getLbEndpoints(i));
            sum += endpoint.weight();
            at.refuseIf(sum > Integer.MAX_VALUE, "load_balancing_weight",
                    "the endpoints of the locality weigh more than " + Integer.MAX_VALUE + " together");
            // Envoy takes the first of those with one address.
            if (known.add(endpoint.address())) {
                endpoints.add(endpoint);
            }
        }
        var name = locality.getLocality();
        Locality where = locality.hasLocality()
                ? new Locality(name.getRegion(), name.getZone(), name.getSubZone())
                : Locality.UNKNOWN;
        return new LocalityEndpoints(where, priority, weight, endpoints);
    }

    private LbEndpoint endpoint(Field field, io.weft.policy.proto.envoy.config.endpoint.v3.LbEndpoint endpoint) {
        field.refuseIf(!endpoint.hasEndpoint(), "endpoint", "is missing");
        Field at = field.at("endpoint");
        at.refuseIf(!endpoint.getEndpoint().hasAddress(), "address", "is missing");
        at.reportIf(endpoint.getEndpoint().getAdditionalAddressesCount() > 0, "additional_addresses");
        at.reportIf(endpoint.getEndpoint().hasHealthCheckConfig(), "health_check_config");
        return new LbEndpoint(
                addresses.parse(at.at("address"), endpoint.getEndpoint().getAddress()),
                endpoint.getEndpoint().getHostname(),
                endpoint.hasLoadBalancingWeight()
                        ? weight(field.at("load_balancing_weight"), endpoint.getLoadBalancingWeight().getValue())
                        : 1,
                health(field.at("health_status"), endpoint.getHealthStatus()),
                StructParser.parse(endpoint.getMetadata().getFilterMetadataOrDefault(LB_METADATA, Struct.getDefaultInstance())),
                labels(endpoint.getMetadata().getFilterMetadataOrDefault(TRANSPORT_METADATA, Struct.getDefaultInstance())));
    }

    private static int weight(Field field, int weight) {
        if (weight == 0) {
            throw field.refuse("must be 1 or more; leave out what should get no traffic");
        }
        return field.quantity(weight);
    }

    static Health health(Field field, HealthStatus status) {
        switch (status) {
            case UNKNOWN:
            case HEALTHY:
                return Health.HEALTHY;
            case DEGRADED:
                return Health.DEGRADED;
            case UNHEALTHY:
            case TIMEOUT:
                return Health.UNHEALTHY;
            case DRAINING:
                return Health.DRAINING;
            default:
                throw field.refuse("is unknown");
        }
    }

    /** Scalars as text; nothing else can be matched. */
    static Map<String, String> labels(Struct metadata) {
        if (metadata.getFieldsCount() == 0) {
            return Map.of();
        }
        Map<String, String> labels = new HashMap<>();
        for (Map.Entry<String, Value> field : metadata.getFieldsMap().entrySet()) {
            String text = text(field.getValue());
            if (text != null) {
                labels.put(field.getKey(), text);
            }
        }
        return labels;
    }

    /** Null for what is no scalar. */
    private static String text(Value value) {
        switch (value.getKindCase()) {
            case STRING_VALUE:
                return value.getStringValue();
            case BOOL_VALUE:
                return Boolean.toString(value.getBoolValue());
            case NUMBER_VALUE:
                double number = value.getNumberValue();
                return number == (long) number ? Long.toString((long) number) : Double.toString(number);
            default:
                return null;
        }
    }
}
