package io.weft.agent.status;

import io.weft.agent.metrics.Metric;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Counters and gauges, a line each, in order: Envoy's of a cluster as Envoy writes them, others with their labels. */
final class StatsText {
    private static final String CLUSTER_PREFIX = "envoy_cluster_";
    private static final String CLUSTER = "envoy_cluster_name";

    private StatsText() {}

    /** @param filter a regular expression of which names must have a match */
    static String of(List<Metric> metrics, Optional<String> filter) {
        Pattern wanted = pattern(filter.orElse(""));
        Set<String> lines = new TreeSet<>();
        for (Metric metric : metrics) {
            if (metric.kind() != Metric.Kind.HISTOGRAM) {
                for (Metric.Point point : metric.points()) {
                    String name = name(metric, point);
                    if (wanted.matcher(name).find()) {
                        lines.add(name + ": " + (long) point.value() + "\n");
                    }
                }
            }
        }
        return String.join("", lines);
    }

    private static Pattern pattern(String filter) {
        try {
            return Pattern.compile(filter);
        } catch (PatternSyntaxException wrong) {
            throw new IllegalArgumentException("filter is no regular expression: " + wrong.getDescription(), wrong);
        }
    }

    private static String name(Metric metric, Metric.Point point) {
        String cluster = point.labels().get(CLUSTER);
        if (cluster == null) {
            return point.labels().isEmpty() ? metric.name() : metric.name() + point.labels();
        }
        String name = "cluster." + cluster + "." + metric.name().substring(CLUSTER_PREFIX.length());
        String code = point.labels().get("envoy_response_code");
        String codes = point.labels().get("envoy_response_code_class");
        return code != null ? name + "_" + code : codes != null ? name.substring(0, name.length() - 2) + codes + "xx" : name;
    }
}
