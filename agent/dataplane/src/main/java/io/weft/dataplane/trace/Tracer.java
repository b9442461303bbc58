package io.weft.dataplane.trace;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.InboundExchange;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.Surroundings;
import io.weft.dataplane.trace.TraceContext.Sampled;
import io.weft.policy.model.Tracing;
import io.weft.policy.model.Tracing.Sampling;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Predicate;

/**
 * Decides which requests are traced, and makes their spans. Whoever began a trace has decided for all of it; of a request that is in none,
 * the policy's shares decide.
 *
 * <p>Where the app has a tracer of its own nothing is told twice: it tells of what comes in, and of the first attempt of a request
 * that it has put into a trace; only further attempts, of which it knows nothing, are added. Thread-safe.
 */
public final class Tracer {
    private final NanoClock clock;
    private final InstantSource time;
    private final Randomness randomness;
    private final SpanSink sink;
    private final Predicate<Tracing> wanted;
    private volatile boolean appTraces;

    /** @param wanted whose spans go somewhere */
    public Tracer(Surroundings surroundings, SpanSink sink, Predicate<Tracing> wanted) {
        this.wanted = wanted;
        clock = surroundings.clock();
        time = surroundings.time();
        randomness = surroundings.randomness();
        this.sink = sink;
    }

    /** The app has a tracer of its own. */
    public void appTraces() {
        appTraces = true;
    }

    /** Whether its spans go somewhere. */
    public boolean traces(Tracing tracing) {
        return wanted.test(tracing);
    }

    /** Makes the request part of a trace, or has it say that it is in none, or leaves it alone. */
    void decide(HttpStream request, Sampling sampling, SpanAttributes attributes) {
        RequestHead head = request.head();
        if (appTraces && request instanceof InboundExchange) {
            return;
        }
        TraceContext context = TraceContext.of(head);
        if (context.sampled() == Sampled.NO) {
            // It goes on as it came.
            return;
        }
        boolean sampled = context.sampled() == Sampled.UNDECIDED ? samples(head, sampling) : context.sampled() == Sampled.YES;
        if (!sampled && context.isNone()) {
            // Most requests: nothing is made for them but what they say.
            request.traceByNobody(TraceContext.refusal(id(), id(), id()));
            return;
        }
        TraceContext decided = context.isIdentified() ? context.decided(sampled) : context.begin(id(), id(), sampled);
        request.traceBy(new RequestTrace(this, decided, attributes, appTraces && context.isIdentified()));
    }

    private boolean samples(RequestHead head, Sampling sampling) {
        long bits = randomness.bits();
        boolean chosen = head.header("x-client-trace-id") != null && isWithin(bits << 32, sampling.client())
                || head.header("x-envoy-force-trace") != null
                || isWithin(bits, sampling.random());
        // By the same draw, as in Envoy: of two shares the smaller one counts, not their product.
        return chosen && isWithin(bits, sampling.overall());
    }

    /** @param bits of which the upper half decides */
    private static boolean isWithin(long bits, double percent) {
        return (bits >>> 32) < percent / 100 * (1L << 32);
    }

    /** Never zero. */
    long id() {
        long id = randomness.bits();
        return id == 0 ? 1 : id;
    }

    long nanoTime() {
        return clock.nanoTime();
    }

    /** Since the epoch. */
    long epochNanos() {
        Instant now = time.instant();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    void ended(Span span, Tracing tracing) {
        sink.add(span, tracing);
    }
}
