package io.weft.benchmarks.decision;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.ResponseHeaders;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.LeastRequest;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.infra.Blackhole;

/**
 * What the mesh does for one request that succeeds at the first attempt: match the route, pick the endpoint, admit, record.
 *
 * <p>The exchange is an object of the library's adapter, one a request. So that its bytes are not counted as the data plane's, and
 * it is not optimised away either, both methods make one and let it escape; the difference in bytes is the data plane's. The time of a
 * decision is with the object.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {Parts.HEAP, Parts.NO_GROWTH, Parts.TOUCHED})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HotPath {
    private static final ResponseHeaders NO_HEADERS = name -> null;

    /** How a cluster chooses among its endpoints. */
    public enum Balancing {
        ROUND_ROBIN(RoundRobin.DEFAULT),
        LEAST_REQUEST(LeastRequest.of(2, 1.0));

        private final Algorithm policy;

        Balancing(Algorithm policy) {
            this.policy = policy;
        }
    }

    @Param
    private Balancing balancing;

    private Traffic traffic;

    @Setup
    public void setUp() {
        traffic = new Traffic(LargeMesh.of(balancing.policy));
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
        Endpoint endpoint = exchange.endpoint();
        exchange.onResponse(200, NO_HEADERS);
        exchange.end();
        return endpoint;
    }
}
