package io.weft.agent.metrics;

import io.weft.agent.log.AgentLog;
import io.weft.agent.otlp.Outlet;
import io.weft.policy.DaemonThreads;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Sends all metrics to one OpenTelemetry collector, again and again, on a daemon thread of its own. A collector that is not there is said
 * once, and asked again next time; so is whatever else fails.
 */
public final class OtlpPush {

    private final Duration interval;
    private final Supplier<List<Metric>> metrics;
    private final Map<String, String> resource;
    private final InstantSource time;
    private final Instant start;
    private final AgentLog log;
    private volatile Outlet outlet;
    private final CountDownLatch stopped = new CountDownLatch(1);

    /** @param start since when counters count */
    OtlpPush(Duration interval, Outlet outlet, Map<String, String> resource, Supplier<List<Metric>> metrics, Instant start,
            InstantSource time, AgentLog log) {
        this.interval = interval;
        this.outlet = outlet;
        this.metrics = metrics;
        this.resource = resource;
        this.time = time;
        this.log = log;
        this.start = start;
    }

    /** Begins, on a thread of its own. */
    void start() {
        new DaemonThreads("weft-otlp").newThread(this::run).start();
    }

    /** From the next time on. From any thread. */
    void sendTo(Outlet other) {
        outlet = other;
    }

    /** Nothing more is sent but what is being sent. */
    void stop() {
        stopped.countDown();
    }

    private void run() {
        while (true) {
            try {
                if (stopped.await(interval.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
                push();
            } catch (Throwable unsaid) {
                // The log failed, as without memory, or somebody interrupted a thread that is not his. This one goes on: its end would be
                // told to the app's handler of uncaught exceptions.
                continue;
            }
        }
    }

    /** Once, now. */
    void push() {
        try {
            outlet.send(OtlpJson.of(resource, metrics.get(), start, time.instant()), again());
        } catch (Throwable fault) {
            log.faultOnce("otlp fault", "a fault in sending metrics; " + again(), fault);
        }
    }

    private String again() {
        return "it is tried again every " + interval.toMillis() + " ms";
    }
}
