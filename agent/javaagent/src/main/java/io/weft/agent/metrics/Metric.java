package io.weft.agent.metrics;

import io.weft.dataplane.metrics.Durations;
import io.weft.dataplane.metrics.Sizes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One metric with all its points, no two of which have the same labels. Not thread-safe while it is filled. */
public final class Metric {

    /** What a point's value is. */
    public enum Kind { COUNTER, GAUGE, HISTOGRAM }

    public enum Unit { ONE, MILLISECONDS, BYTES }

    /**
     * @param value of a histogram the sum, in the metric's unit
     * @param counts of a histogram: of each bucket of {@link #bounds} alone; null otherwise
     */
    public record Point(Map<String, String> labels, double value, long[] counts) {

        Point plus(Point other) {
            if (counts == null) {
                return new Point(labels, value + other.value, null);
            }
            long[] sums = counts.clone();
            for (int i = 0; i < sums.length; i++) {
                sums[i] += other.counts[i];
            }
            return new Point(labels, value + other.value, sums);
        }

        /** What has come since; all of it where it was counted anew meanwhile. */
        private Point since(Point before) {
            if (counts == null) {
                return value < before.value ? this : new Point(labels, value - before.value, null);
            }
            long[] rest = counts.clone();
            for (int i = 0; i < rest.length; i++) {
                rest[i] -= before.counts[i];
                if (rest[i] < 0) {
                    return this;
                }
            }
            return new Point(labels, Math.max(0, value - before.value), rest);
        }

        private boolean isNothing() {
            return counts == null ? value == 0 : Arrays.stream(counts).allMatch(count -> count == 0);
        }
    }

    private static final List<String> CONVENTIONS = List.of("http.", "rpc.");

    private final String name;
    private final Kind kind;
    private final Unit unit;
    private final String help;
    private final Map<Map<String, String>, Point> points = new LinkedHashMap<>();

    private Metric(String name, Kind kind, Unit unit, String help) {
        this.name = name;
        this.kind = kind;
        this.unit = unit;
        this.help = help;
    }

    static Metric counter(String name, String help) {
        return new Metric(name, Kind.COUNTER, Unit.ONE, help);
    }

    static Metric gauge(String name, String help) {
        return new Metric(name, Kind.GAUGE, Unit.ONE, help);
    }

    static Metric durations(String name, String help) {
        return new Metric(name, Kind.HISTOGRAM, Unit.MILLISECONDS, help);
    }

    static Metric sizes(String name, String help) {
        return new Metric(name, Kind.HISTOGRAM, Unit.BYTES, help);
    }

    public Unit unit() {
        return unit;
    }

    /**
     * The unit as OpenTelemetry has it, by UCUM. None where Prometheus must find the name as it is: what leads from one to the other appends the
     * unit to names that do not end with it, and {@code ratio} to gauges of unit 1.
     */
    String ucum() {
        if (unit == Unit.ONE || name.startsWith(EnvoyMetrics.PREFIX)) {
            return "";
        }
        return unit == Unit.BYTES ? "By" : inSeconds() ? "s" : "ms";
    }

    /** How many of the metric's own units one of {@link #ucum} is. */
    double perUcum() {
        return inSeconds() ? 1_000 : 1;
    }

    private boolean inSeconds() {
        return unit == Unit.MILLISECONDS && isOfConventions();
    }

    /** Its name is one of OpenTelemetry's conventions, which others use as well. */
    boolean isOfConventions() {
        return CONVENTIONS.stream().anyMatch(name::startsWith);
    }

    /** Of a histogram: how much is in it. */
    long count() {
        return points.values().stream().flatMapToLong(point -> Arrays.stream(point.counts())).sum();
    }

    /** Of a label, for OpenTelemetry. */
    static boolean isNumber(String label) {
        return label.endsWith("status_code");
    }

    /** Of a histogram, in its unit. */
    public double[] bounds() {
        return unit == Unit.BYTES ? Sizes.bounds() : Durations.bounds();
    }

    public String name() {
        return name;
    }

    public Kind kind() {
        return kind;
    }

    public String help() {
        return help;
    }

    public List<Point> points() {
        return new ArrayList<>(points.values());
    }

    /** What has come since; points of which there is nothing are left out. */
    Metric since(Metric before) {
        Metric rest = new Metric(name, kind, unit, help);
        points.forEach((labels, point) -> {
            Point known = before.points.get(labels);
            Point more = known == null ? point : point.since(known);
            if (!more.isNothing()) {
                rest.points.put(labels, more);
            }
        });
        return rest;
    }

    /** What has the same labels is one point. */
    void add(Map<String, String> labels, double value) {
        add(new Point(labels, value, null));
    }

    void add(Map<String, String> labels, Durations.Snapshot durations) {
        add(new Point(labels, durations.sumNanos() / 1e6, durations.counts()));
    }

    void add(Map<String, String> labels, Sizes.Snapshot sizes) {
        add(new Point(labels, sizes.sumBytes(), sizes.counts()));
    }

    private void add(Point point) {
        points.merge(point.labels(), point, Point::plus);
    }
}
