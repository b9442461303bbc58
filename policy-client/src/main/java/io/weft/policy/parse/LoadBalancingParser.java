package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.HashFunction;
import io.weft.policy.model.LoadBalancing.Localities;
import io.weft.policy.model.LoadBalancing.LocalityWeighted;
import io.weft.policy.model.LoadBalancing.SlowStart;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import io.weft.policy.model.SubsetBalancing;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LeastRequestLbConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.MaglevLbConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.RingHashLbConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.weft.policy.proto.envoy.config.core.v3.HealthStatus;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeDouble;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.maglev.v3.Maglev;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.random.v3.Random;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.subset.v3.Subset;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.Duration;
import io.weft.policy.proto.protobuf.UInt32Value;
import io.weft.policy.proto.protobuf.UInt64Value;
import java.math.BigInteger;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What a cluster says of load balancing, in either of the two forms that Envoy's API has for it. */
final class LoadBalancingParser {
    private static final String POLICIES = "envoy.extensions.load_balancing_policies.";
    private static final String ROUND_ROBIN = POLICIES + "round_robin.v3.RoundRobin";
    private static final String LEAST_REQUEST = POLICIES + "least_request.v3.LeastRequest";
    private static final String RANDOM = POLICIES + "random.v3.Random";
    private static final String RING_HASH = POLICIES + "ring_hash.v3.RingHash";
    private static final String MAGLEV = POLICIES + "maglev.v3.Maglev";
    private static final String CLIENT_SIDE_WEIGHTED =
            POLICIES + "client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin";
    private static final String WRR_LOCALITY = POLICIES + "wrr_locality.v3.WrrLocality";
    private static final String SUBSET = POLICIES + "subset.v3.Subset";
    private static final String CLUSTER_PROVIDED = POLICIES + "cluster_provided.v3.ClusterProvided";
    private static final String OVERRIDE_HOST = POLICIES + "override_host.v3.OverrideHost";
    private static final Set<String> KNOWN = Set.of(ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH, MAGLEV,
            CLIENT_SIDE_WEIGHTED, WRR_LOCALITY, SUBSET, CLUSTER_PROVIDED, OVERRIDE_HOST);

    private static final int DEFAULT_CHOICES = 2;
    private static final double DEFAULT_MIN_WEIGHT_PERCENT = 10;
    private static final java.time.Duration DEFAULT_BLACKOUT = java.time.Duration.ofSeconds(10);
    private static final java.time.Duration DEFAULT_EXPIRATION = java.time.Duration.ofMinutes(3);
    private static final java.time.Duration DEFAULT_UPDATE = java.time.Duration.ofSeconds(1);
    /** Envoy works weights out no more often. */
    private static final java.time.Duration LEAST_UPDATE = java.time.Duration.ofMillis(100);

    private LoadBalancingParser() {}

    /** @param field the cluster */
    static LoadBalancing parse(Field field, Cluster cluster) {
        CommonLbConfig common = cluster.getCommonLbConfig();
        Choice choice = cluster.hasLoadBalancingPolicy() || cluster.getLbPolicy() == LbPolicy.LOAD_BALANCING_POLICY_CONFIG
                ? typed(field, cluster)
                : legacy(field, cluster);
        Field at = field.at("common_lb_config");
        at.reportIf(common.getIgnoreNewHostsUntilFirstHc(), "ignore_new_hosts_until_first_hc");
        at.reportIf(common.getCloseConnectionsOnHostSetChange(), "close_connections_on_host_set_change");
        return new LoadBalancing(
                choice.algorithm(),
                choice.subsets(),
                common.hasHealthyPanicThreshold()
                        ? (int) Math.round(at.at("healthy_panic_threshold").percent(common.getHealthyPanicThreshold().getValue()))
                        : LoadBalancing.DEFAULT_PANIC_THRESHOLD,
                common.hasOverrideHostStatus()
                        ? overrideHost(at.at("override_host_status"), common)
                        : LoadBalancing.DEFAULT_OVERRIDE_HOST);
    }

    private record Choice(Algorithm algorithm, Optional<SubsetBalancing> subsets) {
        Choice(Algorithm algorithm) {
            this(algorithm, Optional.empty());
        }
    }

    private static Set<Health> overrideHost(Field field, CommonLbConfig common) {
        Set<Health> health = EnumSet.noneOf(Health.class);
        for (HealthStatus status : common.getOverrideHostStatus().getStatusesList()) {
            health.add(EndpointParser.health(field.at("statuses"), status));
        }
        return health;
    }

    // lb_policy

    private static Choice legacy(Field field, Cluster cluster) {
        field.at("common_lb_config").at("consistent_hashing_lb_config").refuseIf(
                cluster.getCommonLbConfig().getConsistentHashingLbConfig().getUseHostnameForHashing()
                        && cluster.getType() != DiscoveryType.STRICT_DNS,
                "use_hostname_for_hashing",
                "is only for clusters of type STRICT_DNS, as in Envoy; load_balancing_policy has it for all");
        Field policy = field.at("lb_policy");
        reportOtherPolicies(field, cluster);
        boolean subsets = cluster.getLbSubsetConfig().getSubsetSelectorsCount() > 0;
        if (cluster.getLbPolicy() == LbPolicy.CLUSTER_PROVIDED) {
            field.refuseIf(subsets, "lb_subset_config", "cannot be combined with the lb_policy CLUSTER_PROVIDED");
            return clusterProvided(policy, cluster);
        }
        return new Choice(
                legacyAlgorithm(field, policy, cluster),
                // As in Envoy: without a selector the whole configuration says nothing.
                subsets
                        ? Optional.of(SubsetParser.parse(field.at("lb_subset_config"), cluster.getLbSubsetConfig(), false))
                        : Optional.empty());
    }

    private static void reportOtherPolicies(Field field, Cluster cluster) {
        LbPolicy policy = cluster.getLbPolicy();
        field.reportIf(cluster.hasRoundRobinLbConfig() && policy != LbPolicy.ROUND_ROBIN, "round_robin_lb_config");
        field.reportIf(cluster.hasLeastRequestLbConfig() && policy != LbPolicy.LEAST_REQUEST, "least_request_lb_config");
        field.reportIf(cluster.hasRingHashLbConfig() && policy != LbPolicy.RING_HASH, "ring_hash_lb_config");
        field.reportIf(cluster.hasMaglevLbConfig() && policy != LbPolicy.MAGLEV, "maglev_lb_config");
        boolean hashes = policy == LbPolicy.RING_HASH || policy == LbPolicy.MAGLEV;
        Field common = field.at("common_lb_config");
        common.reportIf(cluster.getCommonLbConfig().hasConsistentHashingLbConfig() && !hashes, "consistent_hashing_lb_config");
        common.reportIf(cluster.getCommonLbConfig().hasZoneAwareLbConfig() && hashes, "zone_aware_lb_config");
    }

    private static Choice clusterProvided(Field field, Cluster cluster) {
        if (cluster.getType() != DiscoveryType.ORIGINAL_DST) {
            throw field.refuse("CLUSTER_PROVIDED is only for clusters of type ORIGINAL_DST");
        }
        return new Choice(LoadBalancing.RoundRobin.DEFAULT);
    }

    private static Algorithm legacyAlgorithm(Field field, Field policy, Cluster cluster) {
        CommonLbConfig common = cluster.getCommonLbConfig();
        switch (cluster.getLbPolicy()) {
            case ROUND_ROBIN:
                return new LoadBalancing.RoundRobin(
                        slowStart(field.at("round_robin_lb_config"), cluster.getRoundRobinLbConfig().hasSlowStartConfig(),
                                cluster.getRoundRobinLbConfig().getSlowStartConfig()),
                        localities(field, common));
            case RANDOM:
                return new LoadBalancing.Random(localities(field, common));
            case LEAST_REQUEST:
                return legacyLeastRequest(field, cluster.getLeastRequestLbConfig(), common);
            case RING_HASH:
                return legacyRingHash(field, cluster.getRingHashLbConfig(), common);
            case MAGLEV:
                MaglevLbConfig maglev = cluster.getMaglevLbConfig();
                return new LoadBalancing.Maglev(
                        tableSize(field.at("maglev_lb_config"), maglev.hasTableSize(), maglev.getTableSize()),
                        hashing(field, common),
                        common.hasLocalityWeightedLbConfig());
            default:
                throw policy.refuse("is unknown; use ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH or MAGLEV");
        }
    }

    private static Algorithm legacyLeastRequest(Field field, LeastRequestLbConfig config, CommonLbConfig common) {
        Field at = field.at("least_request_lb_config");
        return new LoadBalancing.LeastRequest(
                OptionalInt.of(choices(at, config.hasChoiceCount(), config.getChoiceCount())),
                bias(at, config.hasActiveRequestBias(), config.getActiveRequestBias()),
                slowStart(at, config.hasSlowStartConfig(), config.getSlowStartConfig()),
                localities(field, common));
    }

    private static Algorithm legacyRingHash(Field field, RingHashLbConfig config, CommonLbConfig common) {
        Field at = field.at("ring_hash_lb_config");
        HashFunction function;
        switch (config.getHashFunction()) {
            case XX_HASH:
                function = HashFunction.XX_HASH;
                break;
            case MURMUR_HASH_2:
                function = HashFunction.MURMUR_HASH_2;
                break;
            default:
                throw at.at("hash_function").refuse("is unknown");
        }
        return ring(
                at,
                function,
                ringSize(at.at("minimum_ring_size"), config.hasMinimumRingSize(), config.getMinimumRingSize(),
                        LoadBalancing.RingHash.DEFAULT.minSize()),
                ringSize(at.at("maximum_ring_size"), config.hasMaximumRingSize(), config.getMaximumRingSize(),
                        LoadBalancing.RingHash.DEFAULT.maxSize()),
                hashing(field, common),
                common.hasLocalityWeightedLbConfig());
    }

    private static ConsistentHashing hashing(Field field, CommonLbConfig common) {
        CommonLbConfig.ConsistentHashingLbConfig config = common.getConsistentHashingLbConfig();
        Field at = field.at("common_lb_config").at("consistent_hashing_lb_config");
        return new ConsistentHashing(
                config.getUseHostnameForHashing(),
                balanceFactor(at, config.hasHashBalanceFactor(), config.getHashBalanceFactor()));
    }

    private static Localities localities(Field field, CommonLbConfig common) {
        switch (common.getLocalityConfigSpecifierCase()) {
            case LOCALITY_WEIGHTED_LB_CONFIG:
                return new LocalityWeighted();
            case ZONE_AWARE_LB_CONFIG:
                CommonLbConfig.ZoneAwareLbConfig config = common.getZoneAwareLbConfig();
                Field at = field.at("common_lb_config").at("zone_aware_lb_config");
                return zoneAware(
                        config.hasRoutingEnabled()
                                ? at.at("routing_enabled").percent(config.getRoutingEnabled().getValue())
                                : ZoneAware.DEFAULT.routingEnabled(),
                        config.hasMinClusterSize(),
                        config.getMinClusterSize(),
                        config.getFailTrafficOnPanic(),
                        false);
            default:
                return ZoneAware.DEFAULT;
        }
    }

    private static Optional<SlowStart> slowStart(Field field, boolean set, Cluster.SlowStartConfig config) {
        if (!set) {
            return Optional.empty();
        }
        // The extension's message came of this one, and is the same on the wire.
        Field at = field.at("slow_start_config");
        return slowStart(field, true, parse(at, config.toByteString(), SlowStartConfig.parser()));
    }

    // load_balancing_policy

    private static Choice typed(Field field, Cluster cluster) {
        field.refuseIf(!cluster.hasLoadBalancingPolicy(), "load_balancing_policy", "is missing");
        field.refuseIf(cluster.hasLbSubsetConfig(), "lb_subset_config",
                "cannot be combined with load_balancing_policy; put a subset policy into it");
        CommonLbConfig common = cluster.getCommonLbConfig();
        Field at = field.at("common_lb_config");
        String reason = "cannot be combined with load_balancing_policy; put it into the policy";
        at.refuseIf(common.hasZoneAwareLbConfig(), "zone_aware_lb_config", reason);
        at.refuseIf(common.hasLocalityWeightedLbConfig(), "locality_weighted_lb_config", reason);
        at.refuseIf(common.hasConsistentHashingLbConfig(), "consistent_hashing_lb_config", reason);
        boolean other = cluster.getLbPolicy() != LbPolicy.ROUND_ROBIN
                && cluster.getLbPolicy() != LbPolicy.LOAD_BALANCING_POLICY_CONFIG;
        field.reportIf(other, "lb_policy");
        field.reportIf(cluster.hasRoundRobinLbConfig(), "round_robin_lb_config");
        field.reportIf(cluster.hasLeastRequestLbConfig(), "least_request_lb_config");
        field.reportIf(cluster.hasRingHashLbConfig(), "ring_hash_lb_config");
        field.reportIf(cluster.hasMaglevLbConfig(), "maglev_lb_config");
        Selected selected = select(field.at("load_balancing_policy"), cluster.getLoadBalancingPolicy());
        return selected.type().equals(CLUSTER_PROVIDED)
                ? clusterProvided(selected.field(), cluster)
                : choice(selected);
    }

    private static Choice choice(Selected selected) {
        switch (selected.type()) {
            case SUBSET:
                return subset(selected);
            case WRR_LOCALITY:
                return new Choice(wrrLocality(selected));
            case OVERRIDE_HOST:
                return overrideHost(selected);
            default:
                return new Choice(algorithm(selected));
        }
    }

    private static Choice overrideHost(Selected selected) {
        OverrideHostMessage override = OverrideHostMessage.parse(selected.field(), selected.config().getValue());
        Selected inner = select(selected.field().at("fallback_policy"), override.fallbackPolicy());
        if (inner.type().equals(OVERRIDE_HOST)) {
            throw inner.field().refuse("cannot be used inside itself");
        }
        Choice fallback = choice(inner);
        return new Choice(new LoadBalancing.OverrideHost(override.headers(), fallback.algorithm()), fallback.subsets());
    }

    private record Selected(Field field, String type, Any config) {
        <M extends MessageLite> M parse(Parser<M> parser) {
            return LoadBalancingParser.parse(field, config.getValue(), parser);
        }
    }

    /** The first that is known here, as in Envoy. */
    private static Selected select(Field field, LoadBalancingPolicy policy) {
        StringBuilder unknown = new StringBuilder();
        for (int i = 0; i < policy.getPoliciesCount(); i++) {
            Any config = policy.getPolicies(i).getTypedExtensionConfig().getTypedConfig();
            Field at = field.at("policies", i).at("typed_extension_config");
            String type = Extensions.typeOf(config);
            if (KNOWN.contains(type)) {
                return new Selected(at.at("typed_config"), type, config);
            }
            at.report(type);
            unknown.append(unknown.length() == 0 ? "" : ", ").append(type);
        }
        throw field.at("policies").refuse("names no policy that is supported (" + unknown + "); add "
                + "round_robin, least_request, random, ring_hash, maglev, client_side_weighted_round_robin, wrr_locality, subset or "
                + "override_host");
    }

    private static Algorithm algorithm(Selected selected) {
        Field field = selected.field();
        switch (selected.type()) {
            case ROUND_ROBIN:
                RoundRobin roundRobin = selected.parse(RoundRobin.parser());
                return new LoadBalancing.RoundRobin(
                        slowStart(field, roundRobin.hasSlowStartConfig(), roundRobin.getSlowStartConfig()),
                        localities(field, roundRobin.hasLocalityLbConfig(), roundRobin.getLocalityLbConfig()));
            case LEAST_REQUEST:
                return leastRequest(field, selected.parse(LeastRequest.parser()));
            case RANDOM:
                Random random = selected.parse(Random.parser());
                return new LoadBalancing.Random(
                        localities(field, random.hasLocalityLbConfig(), random.getLocalityLbConfig()));
            case RING_HASH:
                return ringHash(field, selected.parse(RingHash.parser()));
            case MAGLEV:
                Maglev maglev = selected.parse(Maglev.parser());
                return new LoadBalancing.Maglev(
                        tableSize(field, maglev.hasTableSize(), maglev.getTableSize()),
                        hashing(field, maglev.getConsistentHashingLbConfig()),
                        maglev.hasLocalityWeightedLbConfig());
            case CLIENT_SIDE_WEIGHTED:
                return clientSideWeighted(field, selected.parse(ClientSideWeightedRoundRobin.parser()), ZoneAware.DEFAULT);
            default:
                throw field.refuse("cannot be used inside another policy");
        }
    }

    private static Choice subset(Selected selected) {
        Subset subset = selected.parse(Subset.parser());
        Field field = selected.field();
        field.refuseIf(!subset.hasSubsetLbPolicy(), "subset_lb_policy", "is missing");
        // The extension came of the cluster's message: but for the policy inside, they are the same on the wire.
        LbSubsetConfig config = selected.parse(LbSubsetConfig.parser());
        return new Choice(
                algorithm(select(field.at("subset_lb_policy"), subset.getSubsetLbPolicy())),
                Optional.of(SubsetParser.parse(field, config, subset.getAllowRedundantKeys())));
    }

    private static Algorithm wrrLocality(Selected selected) {
        WrrLocality locality = selected.parse(WrrLocality.parser());
        Field field = selected.field();
        field.refuseIf(!locality.hasEndpointPickingPolicy(), "endpoint_picking_policy", "is missing");
        Selected inner = select(field.at("endpoint_picking_policy"), locality.getEndpointPickingPolicy());
        if (!inner.type().equals(CLIENT_SIDE_WEIGHTED)) {
            throw inner.field().refuse("must be a client_side_weighted_round_robin, as in Envoy; for weighted localities of "
                    + "another policy set its own locality_lb_config");
        }
        return clientSideWeighted(
                inner.field(), inner.parse(ClientSideWeightedRoundRobin.parser()), new LocalityWeighted());
    }

    private static Algorithm clientSideWeighted(Field field, ClientSideWeightedRoundRobin config, Localities localities) {
        field.refuseIf(config.getEnableOobLoadReport().getValue(), "enable_oob_load_report",
                "is not supported; let the endpoints report with each response");
        field.reportIf(config.hasOobReportingPeriod(), "oob_reporting_period");
        float penalty = config.getErrorUtilizationPenalty().getValue();
        field.refuseIf(!(penalty >= 0), "error_utilization_penalty", "must be 0 or more, is " + penalty);
        java.time.Duration update = period(
                field.at("weight_update_period"), config.hasWeightUpdatePeriod(), config.getWeightUpdatePeriod(), DEFAULT_UPDATE);
        return new LoadBalancing.ClientSideWeightedRoundRobin(
                period(field.at("blackout_period"), config.hasBlackoutPeriod(), config.getBlackoutPeriod(), DEFAULT_BLACKOUT),
                period(field.at("weight_expiration_period"), config.hasWeightExpirationPeriod(),
                        config.getWeightExpirationPeriod(), DEFAULT_EXPIRATION),
                update.compareTo(LEAST_UPDATE) < 0 ? LEAST_UPDATE : update,
                penalty,
                config.getMetricNamesForComputingUtilizationList(),
                localities);
    }

    private static java.time.Duration period(Field field, boolean set, Duration value, java.time.Duration otherwise) {
        return set ? field.notNegative(value) : otherwise;
    }

    @SuppressWarnings("deprecation") // enable_full_scan
    private static Algorithm leastRequest(Field field, LeastRequest config) {
        boolean all;
        switch (config.getSelectionMethod()) {
            case N_CHOICES:
                all = config.getEnableFullScan().getValue();
                break;
            case FULL_SCAN:
                all = true;
                break;
            default:
                throw field.at("selection_method").refuse("is unknown");
        }
        int choices = choices(field, config.hasChoiceCount(), config.getChoiceCount());
        return new LoadBalancing.LeastRequest(
                all ? OptionalInt.empty() : OptionalInt.of(choices),
                bias(field, config.hasActiveRequestBias(), config.getActiveRequestBias()),
                slowStart(field, config.hasSlowStartConfig(), config.getSlowStartConfig()),
                localities(field, config.hasLocalityLbConfig(), config.getLocalityLbConfig()));
    }

    @SuppressWarnings("deprecation") // hashing fields of its own
    private static Algorithm ringHash(Field field, RingHash config) {
        HashFunction function;
        switch (config.getHashFunction()) {
            case DEFAULT_HASH:
            case XX_HASH:
                function = HashFunction.XX_HASH;
                break;
            case MURMUR_HASH_2:
                function = HashFunction.MURMUR_HASH_2;
                break;
            default:
                throw field.at("hash_function").refuse("is unknown");
        }
        ConsistentHashing hashing = config.hasConsistentHashingLbConfig()
                ? hashing(field, config.getConsistentHashingLbConfig())
                : new ConsistentHashing(
                        config.getUseHostnameForHashing(),
                        balanceFactor(field, config.hasHashBalanceFactor(), config.getHashBalanceFactor()));
        return ring(
                field,
                function,
                ringSize(field.at("minimum_ring_size"), config.hasMinimumRingSize(), config.getMinimumRingSize(),
                        LoadBalancing.RingHash.DEFAULT.minSize()),
                ringSize(field.at("maximum_ring_size"), config.hasMaximumRingSize(), config.getMaximumRingSize(),
                        LoadBalancing.RingHash.DEFAULT.maxSize()),
                hashing,
                config.hasLocalityWeightedLbConfig());
    }

    private static ConsistentHashing hashing(Field field, ConsistentHashingLbConfig config) {
        return new ConsistentHashing(
                config.getUseHostnameForHashing(),
                balanceFactor(field.at("consistent_hashing_lb_config"), config.hasHashBalanceFactor(), config.getHashBalanceFactor()));
    }

    private static Localities localities(Field field, boolean set, LocalityLbConfig config) {
        if (!set) {
            return ZoneAware.DEFAULT;
        }
        Field at = field.at("locality_lb_config");
        switch (config.getLocalityConfigSpecifierCase()) {
            case LOCALITY_WEIGHTED_LB_CONFIG:
                return new LocalityWeighted();
            case ZONE_AWARE_LB_CONFIG:
                LocalityLbConfig.ZoneAwareLbConfig zone = config.getZoneAwareLbConfig();
                return zoneAware(
                        zone.hasRoutingEnabled()
                                ? at.at("zone_aware_lb_config").at("routing_enabled").percent(zone.getRoutingEnabled().getValue())
                                : ZoneAware.DEFAULT.routingEnabled(),
                        zone.hasMinClusterSize(),
                        zone.getMinClusterSize(),
                        zone.getFailTrafficOnPanic(),
                        zone.getForceLocalityDirectRouting());
            default:
                throw at.refuse("is empty; set zone_aware_lb_config or locality_weighted_lb_config");
        }
    }

    // Both forms

    private static ZoneAware zoneAware(
            double routingEnabled, boolean sizeSet, UInt64Value size, boolean failTrafficOnPanic, boolean forceDirect) {
        long min = size.getValue() < 0 ? Long.MAX_VALUE : size.getValue();
        return new ZoneAware(
                (int) Math.round(routingEnabled),
                sizeSet ? min : ZoneAware.DEFAULT.minClusterSize(),
                failTrafficOnPanic,
                forceDirect);
    }

    private static Optional<SlowStart> slowStart(Field field, boolean set, SlowStartConfig config) {
        if (!set) {
            return Optional.empty();
        }
        Field at = field.at("slow_start_config");
        java.time.Duration window = at.at("slow_start_window").notNegative(config.getSlowStartWindow());
        double aggression = config.hasAggression() ? config.getAggression().getDefaultValue() : 1;
        at.refuseIf(!(aggression > 0) || Double.isInfinite(aggression), "aggression", "must be greater than 0, is " + aggression);
        double least = config.hasMinWeightPercent()
                ? at.at("min_weight_percent").percent(config.getMinWeightPercent().getValue())
                : DEFAULT_MIN_WEIGHT_PERCENT;
        // Envoy counts in milliseconds.
        return window.toMillis() == 0 ? Optional.empty() : Optional.of(new SlowStart(window, aggression, least));
    }

    private static int choices(Field field, boolean set, UInt32Value count) {
        if (!set) {
            return DEFAULT_CHOICES;
        }
        int choices = Field.limit(count.getValue());
        field.refuseIf(choices < 2, "choice_count", "must be 2 or more");
        return choices;
    }

    private static double bias(Field field, boolean set, RuntimeDouble value) {
        double bias = set ? value.getDefaultValue() : 1;
        field.refuseIf(!(bias >= 0) || Double.isInfinite(bias), "active_request_bias", "must be 0 or more, is " + bias);
        return bias;
    }

    private static Algorithm ring(
            Field field, HashFunction function, int min, int max, ConsistentHashing hashing, boolean localityWeighted) {
        field.refuseIf(min > max, "minimum_ring_size", "is " + min + ", more than the maximum_ring_size of " + max);
        return new LoadBalancing.RingHash(function, min, max, hashing, localityWeighted);
    }

    private static int ringSize(Field field, boolean set, UInt64Value value, int otherwise) {
        if (!set) {
            return otherwise;
        }
        long size = value.getValue();
        if (size < 1 || size > LoadBalancing.RingHash.MAX_SIZE) {
            throw field.refuse("must be 1 to " + LoadBalancing.RingHash.MAX_SIZE + ", is " + Long.toUnsignedString(size));
        }
        return (int) size;
    }

    private static int tableSize(Field field, boolean set, UInt64Value value) {
        if (!set) {
            return LoadBalancing.Maglev.DEFAULT.tableSize();
        }
        long size = value.getValue();
        boolean good = size > 1
                && size <= LoadBalancing.Maglev.MAX_TABLE_SIZE
                && BigInteger.valueOf(size).isProbablePrime(50);
        field.refuseIf(!good, "table_size", "must be a prime number of at most " + LoadBalancing.Maglev.MAX_TABLE_SIZE + ", is "
                + Long.toUnsignedString(size));
        return (int) size;
    }

    private static int balanceFactor(Field field, boolean set, UInt32Value value) {
        if (!set) {
            return 0;
        }
        int factor = Field.limit(value.getValue());
        field.refuseIf(factor < 100, "hash_balance_factor", "must be 100 or more, is " + factor);
        return factor;
    }

    private static <M extends MessageLite> M parse(Field field, com.google.protobuf.ByteString bytes, Parser<M> parser) {
        try {
            return parser.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid message of its type: " + e.getMessage());
        }
    }
}
