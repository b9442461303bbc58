package io.weft.dataplane.balance;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.SeededRandomness;
import io.weft.dataplane.SimulatedTime;
import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.cluster.Member;
import io.weft.dataplane.cluster.Tier;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.RingHash;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A table of many hosts takes milliseconds to make: it is kept while nothing changes that it was made of. */
class TableReuseTest {
    private static final List<Host> HOSTS = hosts();

    private final PickerFactory factory = new PickerFactory(new SimulatedTime(), new SeededRandomness(1), () -> 0);

    static Stream<Algorithm> algorithms() {
        return Stream.of(RingHash.DEFAULT, Maglev.DEFAULT);
    }

    private static List<Host> hosts() {
        return IntStream.range(1, 101)
                .mapToObj(port -> new Host(new Endpoint(new InetSocketAddress("127.0.0.1", port), null), "127.0.0.1:" + port))
                .toList();
    }

    private static Tier tier(List<Host> hosts, int weightOfFirst, Health healthOfLast) {
        List<Member> members = IntStream.range(0, hosts.size())
                .mapToObj(i -> new Member(hosts.get(i), new LbEndpoint(new HostPort("127.0.0.1", i + 1), "",
                        i == 0 ? weightOfFirst : 1, i == hosts.size() - 1 ? healthOfLast : Health.HEALTHY, Map.of(), Map.of())))
                .toList();
        return new Tier(0, members, List.of(new Tier.Zone(Locality.UNKNOWN, 0, members)), false, true);
    }

    private HashedHosts make(Algorithm algorithm, int panicThreshold, Tier tier) {
        LoadBalancing policy = new LoadBalancing(
                algorithm, java.util.Optional.empty(), panicThreshold, LoadBalancing.DEFAULT_OVERRIDE_HOST);
        return ((HashingPicker) factory.make(new PickerFactory.Input(policy, List.of(tier), 140, false, null))).priorities[0];
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void whatIsTheSameIsKept(Algorithm algorithm) {
        HashedHosts first = make(algorithm, 50, tier(HOSTS, 1, Health.HEALTHY));

        assertThat(make(algorithm, 50, tier(HOSTS, 1, Health.HEALTHY))).isSameAs(first);
        assertThat(make(algorithm, 40, tier(HOSTS, 1, Health.HEALTHY))).as("the panic threshold is not in it").isSameAs(first);
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void theSameAddressesWithOtherStateKeepTheTable(Algorithm algorithm) {
        HashedHosts first = make(algorithm, 50, tier(HOSTS, 1, Health.HEALTHY));
        List<Host> others = hosts();
        HashedHosts second = make(algorithm, 50, tier(others, 1, Health.HEALTHY));

        assertThat(second.table).isSameAs(first.table);
        assertThat(second.pick(42, 0)).isIn(others);
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void whatChangesMakesAnotherTable(Algorithm algorithm) {
        HashedHosts first = make(algorithm, 50, tier(HOSTS, 1, Health.HEALTHY));
        HashedHosts weighted = make(algorithm, 50, tier(HOSTS, 2, Health.HEALTHY));
        assertThat(weighted.table).isNotSameAs(first.table);
        HashedHosts unhealthy = make(algorithm, 50, tier(HOSTS, 2, Health.UNHEALTHY));
        assertThat(unhealthy.table).isNotSameAs(weighted.table);
        Algorithm bounded = algorithm instanceof RingHash ring
                ? new RingHash(ring.function(), 77, ring.maxSize(), ring.hashing(), false)
                : new Maglev(997, ConsistentHashing.DEFAULT, false);
        assertThat(make(bounded, 50, tier(HOSTS, 2, Health.UNHEALTHY)).table).isNotSameAs(unhealthy.table);
    }
}
