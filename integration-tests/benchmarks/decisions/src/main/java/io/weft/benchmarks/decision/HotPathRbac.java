package io.weft.benchmarks.decision;

import io.weft.dataplane.Connection;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Inbound.Port;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.ResponseHeaders;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.StringMatch;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What the mesh does for one request that comes in: match the route, look for a policy that lets the peer in, count. The peer's SPIFFE
 * ID is known; of 20 policies, each for one caller and one path, the last is the peer's. Measured as {@link HotPath}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {Parts.HEAP, Parts.NO_GROWTH, Parts.TOUCHED})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HotPathRbac {
    static final int POLICIES = 20;
    private static final int PORT = 8080;
    private static final ResponseHeaders NO_HEADERS = name -> null;

    private final Connection connection = new Connection(
            new InetSocketAddress("127.0.0.1", PORT),
            new InetSocketAddress("127.0.0.1", 40_000),
            "",
            new Connection.Peer(List.of(caller(POLICIES - 1)), List.of(), "CN=caller"));
    private Port port;

    @Setup
    public void setUp() {
        DataPlane dataPlane = Parts.dataPlane();
        Rbac.Engine engine = new Rbac.Policies(
                Rbac.Action.ALLOW, IntStream.range(0, POLICIES).mapToObj(HotPathRbac::policy).toList());
        dataPlane.apply(Parts.inbound(
                PORT, new NamedFilter("rbac", new AccessControl(new Rbac(Optional.of(engine), Optional.empty())), false)));
        port = dataPlane.inbound().opened("benchmark", new InetSocketAddress("0.0.0.0", PORT), false);
    }

    @Benchmark
    public void exchangeAlone(Blackhole blackhole) {
        blackhole.consume(new InboundRequest(connection));
    }

    @Benchmark
    public void decision(Blackhole blackhole) {
        InboundRequest request = new InboundRequest(connection);
        blackhole.consume(request);
        port.enter(request);
        if (request.next() != InboundExchange.Step.PROCEED) {
            throw new IllegalStateException("the policy does not let the caller in");
        }
        request.onResponse(200, NO_HEADERS);
        request.end();
    }

    private static Rbac.Policy policy(int number) {
        Rule path = new Rbac.UrlPath(new StringMatch.Prefix("/orders/", false));
        Rule caller = new Rbac.Authenticated(Optional.of(new StringMatch.Exact(caller(number), false)));
        return new Rbac.Policy("caller-%02d".formatted(number), List.of(path), List.of(caller));
    }

    static String caller(int number) {
        return "spiffe://default/caller-%02d".formatted(number);
    }
}
