package io.weft.benchmarks.decision;

import io.grpc.CallOptions;
import io.grpc.EquivalentAddressGroup;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancer.PickResult;
import io.grpc.LoadBalancer.PickSubchannelArgs;
import io.grpc.LoadBalancer.ResolvedAddresses;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
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

/**
 * To compare {@link HotPathRingHash} with: what grpc-java's own xDS balancer takes to choose among 1,000 connected endpoints by the
 * hash of a header. It is only the choice; the route is matched and the request counted elsewhere in gRPC. Needs
 * {@code GRPC_EXPERIMENTAL_RING_HASH_SET_REQUEST_HASH_KEY=true} in the environment.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {Parts.HEAP, Parts.NO_GROWTH, Parts.TOUCHED})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class GrpcRingHash {
    private static final int ENDPOINTS = 1_000;
    private static final int USERS = 997;

    private final Picks[] users = IntStream.range(0, USERS).mapToObj(i -> new Picks("user-" + i)).toArray(Picks[]::new);
    private final Connected helper = new Connected();
    private int next;

    @Setup
    public void setUp() {
        LoadBalancerProvider provider = LoadBalancerRegistry.getDefaultRegistry().getProvider("ring_hash_experimental");
        Object config = provider.parseLoadBalancingPolicyConfig(Map.of("requestHashHeader", Request.USER)).getConfig();
        LoadBalancer balancer = provider.newLoadBalancer(helper);
        List<EquivalentAddressGroup> addresses = IntStream.range(0, ENDPOINTS)
                .mapToObj(i -> new EquivalentAddressGroup(new InetSocketAddress("10.1." + i / 250 + "." + (i % 250 + 1), 8080)))
                .toList();
        helper.context.execute(() -> balancer.acceptResolvedAddresses(
                ResolvedAddresses.newBuilder().setAddresses(addresses).setLoadBalancingPolicyConfig(config).build()));
        // An endpoint is connected to when it is chosen for the first time.
        for (Picks user : users) {
            helper.picker.pickSubchannel(user);
            if (helper.picker.pickSubchannel(user).getSubchannel() == null) {
                throw new IllegalStateException("no endpoint: " + helper.picker.pickSubchannel(user));
            }
        }
    }

    @Benchmark
    public PickResult pick() {
        next = next + 1 == USERS ? 0 : next + 1;
        return helper.picker.pickSubchannel(users[next]);
    }

    private static final class Picks extends PickSubchannelArgs {
        private final Metadata headers = new Metadata();

        Picks(String user) {
            headers.put(Metadata.Key.of(Request.USER, Metadata.ASCII_STRING_MARSHALLER), user);
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
