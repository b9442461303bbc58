package io.weft.dataplane.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.SimulatedTime;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class LoadMeterTest {
    private static final Offset<Double> CLOSE = Offset.offset(0.001);

    private final SimulatedTime time = new SimulatedTime();
    private final Process process = new Process();
    private final LoadMeter meter = new LoadMeter(time, time, () -> process.requests, () -> process.busyThreads);
    private int measured;

    private static final class Process implements Vitals {
        long cpuNanos;
        long pauseMillis;
        double heap;
        long requests;
        double busyThreads;

        @Override
        public long cpuNanos() {
            return cpuNanos;
        }

        @Override
        public int processors() {
            return 4;
        }

        @Override
        public long pauseMillis() {
            return pauseMillis;
        }

        @Override
        public double heapAfterCollection() {
            return heap;
        }
    }

    private void begin() {
        meter.from(process, task -> {
            measured++;
            task.run();
        });
    }

    /** @param cpu of all processors, {@code pauses} of the time; the shares of one second */
    private void second(double cpu, double pauses, int requests) {
        process.cpuNanos += (long) (cpu * 4e9);
        process.pauseMillis += (long) (pauses * 1000);
        process.requests += requests;
        time.advance(Duration.ofSeconds(1));
    }

    private Map<String, Double> report() {
        Map<String, Double> metrics = new HashMap<>();
        String report = meter.report(LoadFormat.TEXT);
        assertThat(report).startsWith("TEXT ");
        for (String metric : report.substring(5).split(",")) {
            metrics.put(metric.split("=")[0], Double.parseDouble(metric.split("=")[1]));
        }
        return metrics;
    }

    @Test
    void nothingIsMeasuredBeforeSomebodyAsksAndNotForLongAfterwards() {
        assertThat(meter.report(LoadFormat.TEXT)).as("by nobody").isNull();
        begin();
        time.advance(Duration.ofMinutes(1));
        assertThat(measured).isZero();

        LoadMeter other = new LoadMeter(time, time, () -> 0, () -> 0);
        other.from(process, task -> {
            measured++;
            task.run();
        });
        assertThat(other.report(LoadFormat.TEXT)).as("not yet").isNull();
        time.advance(Duration.ofSeconds(1));
        assertThat(other.report(LoadFormat.TEXT)).isNotNull();
        time.advance(Duration.ofSeconds(1));
        assertThat(other.report(LoadFormat.TEXT)).isNotNull();
        time.advance(Duration.ofMinutes(10));
        assertThat(measured).isLessThan(70);
        assertThat(time.pending()).isZero();
        assertThat(other.report(LoadFormat.TEXT)).as("an old report is none").isNull();
        time.advance(Duration.ofSeconds(1));
        assertThat(other.report(LoadFormat.TEXT)).isNotNull();
    }

    @Test
    void whatItSays() {
        begin();
        meter.report(LoadFormat.TEXT);
        process.heap = 0.5;
        process.busyThreads = 0.1;
        for (int i = 0; i < 10; i++) {
            meter.responded(i == 0 ? 503 : 200);
        }
        second(0.25, 0, 200);

        assertThat(report()).isEqualTo(Map.of(
                "cpu_utilization", 0.25, "mem_utilization", 0.5, "application_utilization", 0.25, "rps_fractional", 200.0,
                "eps", 20.0, "named_metrics.gc_pause_share", 0.0, "named_metrics.request_threads", 0.1));
        assertThat(meter.report(LoadFormat.JSON)).isEqualTo("JSON {\"cpu_utilization\":0.25,\"mem_utilization\":0.5,"
                + "\"application_utilization\":0.25,\"rps_fractional\":200.0,\"eps\":20.0,"
                + "\"named_metrics\":{\"gc_pause_share\":0.0,\"request_threads\":0.1}}");
        String binary = meter.report(LoadFormat.BIN);
        assertThat(binary).startsWith("BIN ");
        assertThat(Base64.getDecoder().decode(binary.substring(4))).startsWith(1 << 3 | 1, 0, 0, 0, 0, 0, 0, 0xd0, 0x3f);
    }

    @Test
    void anInstanceThatStandsStillHalfOfTheTimeIsUsedTwiceAsMuch() {
        begin();
        meter.report(LoadFormat.TEXT);
        second(0.3, 0.5, 10);
        assertThat(report().get("application_utilization")).isCloseTo(0.6, CLOSE);
        assertThat(report().get("cpu_utilization")).isCloseTo(0.3, CLOSE);
    }

    @Test
    void busyThreadsAndATightHeapCount() {
        begin();
        meter.report(LoadFormat.TEXT);
        process.busyThreads = 0.9;
        second(0.1, 0, 10);
        assertThat(report().get("application_utilization")).isCloseTo(0.9, CLOSE);

        process.busyThreads = 0;
        process.heap = 0.99;
        for (int i = 0; i < 30; i++) {
            report();
            second(0.1, 0, 10);
        }
        assertThat(report().get("application_utilization")).isCloseTo(0.95, CLOSE);
        process.heap = 0.6;
        second(0.1, 0, 10);
        assertThat(report().get("application_utilization")).isCloseTo(0.1, CLOSE);
    }

    @Test
    void aPeakIsSmoothed() {
        begin();
        meter.report(LoadFormat.TEXT);
        second(0.1, 0, 100);
        report();
        second(1, 0, 200);
        assertThat(report().get("cpu_utilization")).isCloseTo(0.37, CLOSE);
        assertThat(report().get("rps_fractional")).isCloseTo(130, CLOSE);
    }

    @Test
    void whatIsNotKnownCountsAsNothingAndIdleInstancesAreEqual() {
        begin();
        process.cpuNanos = -1;
        process.pauseMillis = -1;
        process.heap = -1;
        meter.report(LoadFormat.TEXT);
        time.advance(Duration.ofSeconds(1));
        assertThat(report().values()).containsOnly(0.0, 0.01);
        assertThat(report().get("application_utilization")).isEqualTo(0.01);
    }
}
