package io.weft.agent.traces;

import io.weft.agent.log.AgentLog;
import io.weft.agent.otlp.Outlet;
import io.weft.dataplane.trace.Span;
import io.weft.dataplane.trace.SpanSink;
import io.weft.policy.DaemonThreads;
import io.weft.policy.model.Tracing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Sends spans to an OpenTelemetry collector on a daemon thread of its own, started with the first of them. What it cannot keep up with,
 * or the collector does not take, is lost, so that no request waits and no memory fills up.
 */
public final class SpanPush implements SpanSink {
    private static final int MOST_WAITING = 2_048;
    private static final int MOST_AT_ONCE = 512;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LAST_MILLIS = 300;

    private final Function<Tracing, Optional<Outlet>> outlets;
    private final Supplier<Map<String, String>> resource;
    private final AgentLog log;
    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private volatile boolean lost;
    private volatile Thread sender;
    private volatile boolean ending;

    private record Waiting(Span span, Tracing tracing) {}

    /**
     * @param outlets where spans go that are made because of that; asked when something is sent
     * @param resource attributes of this process; asked for when something is sent
     */
    public SpanPush(Function<Tracing, Optional<Outlet>> outlets, Supplier<Map<String, String>> resource, AgentLog log) {
        this.outlets = outlets;
        this.resource = resource;
        this.log = log;
    }

    @Override
    public void add(Span span, Tracing tracing) {
        if (count.incrementAndGet() > MOST_WAITING) {
            count.decrementAndGet();
            lost = true;
            return;
        }
        waiting.add(new Waiting(span, tracing));
        if (sender == null) {
            start();
        }
    }

    private synchronized void start() {
        if (sender == null) {
            Thread thread = new DaemonThreads("weft-spans").newThread(this::run);
            try {
                thread.start();
                sender = thread;
            } catch (OutOfMemoryError noMoreThreads) {
                // The request that is told of has nothing to do with it, and its place must be given back.
                log.faultOnce("otlp spans thread", "no thread can be had to send spans; it is tried again with the next one", noMoreThreads);
            }
        }
    }

    private void run() {
        boolean last;
        do {
            last = ending;
            try {
                push();
            } catch (Throwable fault) {
                // Also an error: the end of this thread would be told to the app's handler of uncaught exceptions.
                log.faultOnce("otlp spans fault", "a fault in sending spans; others are sent all the same", fault);
            }
            if (!last) {
                // Nobody wakes it: a request pays nothing for being told of.
                LockSupport.parkNanos(this, PAUSE_NANOS);
            }
        } while (!last);
    }

    private void push() {
        if (lost) {
            log.warnOnce("otlp spans lost", "some spans are lost: more than " + MOST_WAITING + " were waiting; sample less, by "
                    + "weft.traces.sampling or the tracing of the control plane");
        }
        while (!waiting.isEmpty()) {
            Map<Tracing, List<Span>> spans = new LinkedHashMap<>();
            int taken = 0;
            for (Waiting next = waiting.poll(); next != null; next = taken < MOST_AT_ONCE ? waiting.poll() : null) {
                count.decrementAndGet();
                taken++;
                spans.computeIfAbsent(next.tracing(), tracing -> new ArrayList<>()).add(next.span());
            }
            spans.forEach(this::push);
        }
    }

    private void push(Tracing tracing, List<Span> spans) {
        Optional<Outlet> outlet = outlets.apply(tracing);
        if (outlet.isPresent()) {
            outlet.get().send(SpansJson.of(resource.get(), spans), "these are lost, and others are sent all the same");
        } else {
            log.warnOnce("otlp spans nowhere " + tracing.collector(), "spans are lost: the collector that policy names for them is not there, or "
                    + "is to be reached in a way that an agent cannot: " + tracing.collector());
        }
    }

    /** Has what is waiting sent, before the process ends. Waits 300 ms at most: a collector may be stuck. */
    public void close() {
        ending = true;
        Thread running = sender;
        if (running != null) {
            LockSupport.unpark(running);
            try {
                running.join(LAST_MILLIS);
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
