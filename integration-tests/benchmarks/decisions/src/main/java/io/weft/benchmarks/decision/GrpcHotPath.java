package io.weft.benchmarks.decision;

import io.grpc.CallOptions;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.PickSubchannelArgs;
import io.grpc.LoadBalancer.ResolvedAddresses;
import io.grpc.LoadBalancer.SubchannelPicker;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.xds.RouteChoice;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * To compare {@link HotPath} with: what grpc-java's own xDS client takes to match the routes of one of 1,000 virtual hosts and to
 * choose among the 1,000 connected endpoints of two clusters. It is less than a decision: the virtual host is the channel's already, and
 * there are no time limits, circuit breakers, outlier detection or counters in it, which are elsewhere in gRPC.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {Parts.HEAP, Parts.NO_GROWTH, Parts.TOUCHED})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class GrpcHotPath {
    private static final int CHANNELS = 1_000;

    /** The same as in {@link HotPath.Balancing}. */
    public enum Balancing {
        ROUND_ROBIN("round_robin", Map.of()),
        LEAST_REQUEST("least_request_experimental", Map.of("choiceCount", 2.0));

        private final String policy;
        private final Map<String, ?> config;

        Balancing(String policy, Map<String, ?> config) {
            this.policy = policy;
            this.config = config;
        }
    }

    @Param
    private Balancing balancing;

    private final RouteChoice[] channels = Stream.generate(() -> new RouteChoice("x-canary", "yes", "canary", "stable"))
            .limit(CHANNELS)
            .toArray(RouteChoice[]::new);
    private final Call call = new Call();
    private SubchannelPicker stable;
    private SubchannelPicker canary;
    private int next;

    @Setup
    public void setUp() {
        stable = picker(1, 900);
        canary = picker(2, 100);
    }

    private SubchannelPicker picker(int network, int count) {
        Connected helper = new Connected();
        LoadBalancerProvider provider = LoadBalancerRegistry.getDefaultRegistry().getProvider(balancing.policy);
        Object config = provider.parseLoadBalancingPolicyConfig(balancing.config).getConfig();
        List<EquivalentAddressGroup> addresses = IntStream.range(0, count)
                .mapToObj(i -> new EquivalentAddressGroup(new InetSocketAddress("10." + network + "." + i / 250 + "." + (i % 250 + 1), 8080)))
                .toList();
        LoadBalancer balancer = provider.newLoadBalancer(helper);
        helper.context.execute(() -> balancer.acceptResolvedAddresses(
                ResolvedAddresses.newBuilder().setAddresses(addresses).setLoadBalancingPolicyConfig(config).build()));
        if (helper.picker.pickSubchannel(call).getSubchannel() == null) {
            throw new IllegalStateException("no endpoint: " + helper.picker.pickSubchannel(call));
        }
        return helper.picker;
    }

    @Benchmark
    public PickResult pick() {
        next = next + 1 == CHANNELS ? 0 : next + 1;
        String cluster = channels[next].cluster("/orders/Get", call.headers);
        return (cluster.equals("stable") ? stable : canary).pickSubchannel(call);
    }

    private static final class Call extends PickSubchannelArgs {
        private final Metadata headers = new Metadata();

        Call() {
            headers.put(Metadata.Key.of(Request.USER, Metadata.ASCII_STRING_MARSHALLER), "user");
        }

        @Override
        public CallOptions getCallOptions() {
            return CallOptions.DEFAULT;
        }

        @Override
        public Metadata getHeaders() {
            return headers;
        }

        @Override
        public MethodDescriptor<?, ?> getMethodDescriptor() {
            throw new UnsupportedOperationException();
        }
    }
}
