package io.weft.benchmarks.decision;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.ResponseHeaders;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
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
 * What the mesh does for one request that is answered 503 first and 200 at the second attempt: two endpoints picked, the second
 * another than the first. Without outlier detection, which would soon have taken every endpoint out. Measured as {@link HotPath}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {Parts.HEAP, Parts.NO_GROWTH, Parts.TOUCHED})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HotPathRetry {
    private static final ResponseHeaders NO_HEADERS = name -> null;

    private Traffic traffic;

    @Setup
    public void setUp() {
        traffic = new Traffic(LargeMesh.of(RoundRobin.DEFAULT, List.of(), Optional.empty()));
    }

    @Benchmark
    public void exchangeAlone(Blackhole blackhole) {
        blackhole.consume(traffic.request());
    }

    @Benchmark
    public Endpoint decision(Blackhole blackhole) {
        Exchange exchange = traffic.request();
        blackhole.consume(exchange);
        traffic.claim(exchange);
        Traffic.dial(exchange);
        if (!exchange.onResponse(503, NO_HEADERS)) {
            throw new IllegalStateException("the policy does not retry");
        }
        Traffic.dial(exchange);
        Endpoint endpoint = exchange.endpoint();
        exchange.onResponse(200, NO_HEADERS);
        exchange.end();
        return endpoint;
    }
}
