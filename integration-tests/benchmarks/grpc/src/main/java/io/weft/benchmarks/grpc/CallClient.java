package io.weft.benchmarks.grpc;

import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.NameResolverRegistry;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.grpc.xds.XdsChannelCredentials;
import io.weft.driver.ClientDriver;
import io.weft.driver.Form;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall;
import io.weft.driver.Latencies;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes unary calls: as {@link ClientDriver#measure} has it, with a target for {@code url}; or, with {@code rate}, so many each second, however long those before take: a latency
 * counts from when its call was due. The target's scheme says who finds the servers: {@code xds}, gRPC itself; {@code listed}, the app; else DNS, or the agent in its place.
 */
public final class CallClient {
    private static final byte[] MESSAGE = "x".repeat(100).getBytes(StandardCharsets.US_ASCII);

    private final Map<String, ManagedChannel> channels = new ConcurrentHashMap<>();

    private CallClient() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        NameResolverRegistry.getDefaultRegistry().register(new ListedAddresses());
        CallClient client = new CallClient();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, String> order = Form.read(line);
            int times = Integer.parseInt(order.get("times"));
            System.out.println(Form.write(order.containsKey("rate")
                    ? client.atRate(order.get("url"), times, Integer.parseInt(order.get("rate")))
                    : ClientDriver.measure(
                            client::call, new HttpCall("POST", order.get("url"), Map.of(), "", Set.of(), 0, 0), times, Integer.parseInt(order.get("threads")))));
        }
        System.exit(0);
    }

    private ManagedChannel channel(String target) {
        return channels.computeIfAbsent(target, CallClient::open);
    }

    private static ManagedChannel open(String target) {
        if (target.startsWith("xds:")) {
            return Grpc.newChannelBuilder(target, XdsChannelCredentials.create(InsecureChannelCredentials.create())).build();
        }
        ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create());
        return (target.startsWith(ListedAddresses.SCHEME + ":") ? builder.defaultLoadBalancingPolicy("round_robin") : builder).build();
    }

    private HttpAnswer call(HttpCall call) {
        ClientCalls.blockingUnaryCall(channel(call.url()), Echo.UNARY, CallOptions.DEFAULT, MESSAGE);
        return new HttpAnswer(200, Map.of(), "", Map.of());
    }

    private Map<String, String> atRate(String target, int times, int rate) throws InterruptedException {
        ManagedChannel channel = channel(target);
        Latencies latencies = new Latencies(times);
        CountDownLatch open = new CountDownLatch(times);
        long began = System.nanoTime();
        for (int i = 0; i < times; i++) {
            int number = i;
            long due = began + TimeUnit.SECONDS.toNanos(1) * i / rate;
            for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
            ClientCalls.asyncUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), MESSAGE, new StreamObserver<>() {
                @Override
                public void onNext(byte[] answer) {
                    latencies.succeeded(number, System.nanoTime() - due);
                }

                @Override
                public void onError(Throwable failure) {
                    latencies.failed(number, failure);
                    open.countDown();
                }

                @Override
                public void onCompleted() {
                    open.countDown();
                }
            });
        }
        open.await();
        return latencies.toForm();
    }
}
