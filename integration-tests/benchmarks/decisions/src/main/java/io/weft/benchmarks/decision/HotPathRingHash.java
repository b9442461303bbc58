package io.weft.benchmarks.decision;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.ResponseHeaders;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.RingHash;
import io.weft.policy.model.OutlierDetection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
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

/** {@link HotPath} with an endpoint by the hash of a header. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 2, jvmArgsAppend = {Parts.HEAP, Parts.NO_GROWTH, Parts.TOUCHED})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HotPathRingHash {
    private static final List<HashPolicy> BY_USER = List.of(new HashPolicy.Header(Request.USER, Optional.empty(), false));
    private static final OutlierDetection OUTLIERS = Parts.outliers(Duration.ofSeconds(30), Duration.ofSeconds(300));
    private static final ResponseHeaders NO_HEADERS = name -> null;

    /** How a cluster chooses among its endpoints. */
    public enum Balancing {
        RING_HASH(RingHash.DEFAULT),
        MAGLEV(Maglev.DEFAULT);

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
        traffic = new Traffic(LargeMesh.of(balancing.policy, BY_USER, Optional.of(OUTLIERS)));
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
