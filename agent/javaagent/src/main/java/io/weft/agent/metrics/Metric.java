package io.weft.agent.metrics;

import io.weft.dataplane.metrics.Durations;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One metric with all its points, no two of which have the same labels. Not thread-safe while it is filled. */
public final class Metric {

    /** What a point's value is. */
    public enum Kind { COUNTER, GAUGE, HISTOGRAM }

    /**
     * @param value of a histogram the sum, in milliseconds
     * @param counts of a histogram: of each bucket of {@link Durations#bounds} alone; null otherwise
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
    }

    private final String name;
    private final Kind kind;
    private final String help;
    private final Map<Map<String, String>, Point> points = new LinkedHashMap<>();

    Metric(String name, Kind kind, String help) {
        this.name = name;
        this.kind = kind;
        this.help = help;
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

    /** What has the same labels is one point. */
    void add(Map<String, String> labels, double value) {
        add(new Point(labels, value, null));
    }

    void add(Map<String, String> labels, Durations.Snapshot durations) {
        add(new Point(labels, durations.sumNanos() / 1e6, durations.counts()));
    }

    private void add(Point point) {
        points.merge(point.labels(), point, Point::plus);
    }
}
