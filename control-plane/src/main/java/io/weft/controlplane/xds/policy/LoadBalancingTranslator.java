package io.weft.controlplane.xds.policy;

import com.google.protobuf.UInt64Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.core.v3.RuntimeDouble;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.Cookie;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.FilterState;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashFunction;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashPolicy;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashSource;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.Header;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.LeastRequest;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.LoadBalancer;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.Maglev;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.QueryParameter;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.RingHash;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.SourceAddress;
import java.util.List;

/** {@code MeshLoadBalancingStrategy}, but for the localities of endpoints. */
public final class LoadBalancingTranslator {

    public static void cluster(MeshLoadBalancingStrategy strategy, Cluster.Builder cluster) {
        if (Localities.weighted(strategy)) {
            cluster.getCommonLbConfigBuilder()
                    .setLocalityWeightedLbConfig(Cluster.CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance());
        }
        strategy.loadBalancer().ifPresent(balancer -> balancer(balancer, cluster));
    }

    private static void balancer(LoadBalancer balancer, Cluster.Builder cluster) {
        if (balancer instanceof MeshLoadBalancingStrategy.RoundRobin) {
            cluster.setLbPolicy(LbPolicy.ROUND_ROBIN);
        } else if (balancer instanceof MeshLoadBalancingStrategy.Random) {
            cluster.setLbPolicy(LbPolicy.RANDOM);
        } else if (balancer instanceof LeastRequest least) {
            cluster.setLbPolicy(LbPolicy.LEAST_REQUEST);
            Cluster.LeastRequestLbConfig.Builder config = cluster.getLeastRequestLbConfigBuilder();
            least.choices().ifPresent(number -> config.setChoiceCount(Values.number(number)));
            // Envoy wants a key even where nothing is looked up by it.
            least.activeRequestBias().ifPresent(bias -> config.setActiveRequestBias(
                    RuntimeDouble.newBuilder().setDefaultValue(bias.doubleValue()).setRuntimeKey("active_request_bias")));
        } else if (balancer instanceof RingHash ring) {
            cluster.setLbPolicy(LbPolicy.RING_HASH);
            Cluster.RingHashLbConfig.Builder config = cluster.getRingHashLbConfigBuilder();
            ring.minimumSize().ifPresent(size -> config.setMinimumRingSize(UInt64Value.of(size)));
            ring.maximumSize().ifPresent(size -> config.setMaximumRingSize(UInt64Value.of(size)));
            ring.function().ifPresent(function -> config.setHashFunction(function == HashFunction.XX_HASH
                    ? Cluster.RingHashLbConfig.HashFunction.XX_HASH
                    : Cluster.RingHashLbConfig.HashFunction.MURMUR_HASH_2));
        } else if (balancer instanceof Maglev maglev) {
            cluster.setLbPolicy(LbPolicy.MAGLEV);
            maglev.tableSize().ifPresent(size -> cluster.getMaglevLbConfigBuilder().setTableSize(UInt64Value.of(size)));
        }
    }

    public static void route(MeshLoadBalancingStrategy strategy, RouteAction.Builder action) {
        strategy.hashPolicies().orElse(List.of()).forEach(policy -> action.addHashPolicy(hash(policy)));
    }

    private static RouteAction.HashPolicy hash(HashPolicy policy) {
        RouteAction.HashPolicy.Builder builder = RouteAction.HashPolicy.newBuilder();
        policy.terminal().ifPresent(builder::setTerminal);
        HashSource source = policy.source();
        if (source instanceof Header header) {
            builder.getHeaderBuilder().setHeaderName(header.name());
        } else if (source instanceof Cookie cookie) {
            builder.getCookieBuilder().setName(cookie.name());
            cookie.ttl().ifPresent(ttl -> builder.getCookieBuilder().setTtl(Values.duration(ttl)));
            cookie.path().ifPresent(path -> builder.getCookieBuilder().setPath(path));
        } else if (source instanceof SourceAddress address) {
            builder.getConnectionPropertiesBuilder().setSourceIp(address.used());
        } else if (source instanceof QueryParameter parameter) {
            builder.getQueryParameterBuilder().setName(parameter.name());
        } else if (source instanceof FilterState state) {
            builder.getFilterStateBuilder().setKey(state.key());
        }
        return builder.build();
    }

    private LoadBalancingTranslator() {}
}
