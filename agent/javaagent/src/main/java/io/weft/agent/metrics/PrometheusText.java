package io.weft.agent.metrics;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Prometheus' text format, version 0.0.4. */
public final class PrometheusText {
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final StringBuilder text = new StringBuilder(16_384);

    private PrometheusText() {}

    public static String of(List<Metric> metrics) {
        PrometheusText writer = new PrometheusText();
        for (Metric metric : metrics) {
            writer.write(metric);
        }
        return writer.text.toString();
    }

    private void write(Metric metric) {
        List<Metric.Point> points = metric.points();
        if (points.isEmpty()) {
            return;
        }
        String type = metric.kind().name().toLowerCase(Locale.ROOT);
        text.append("# HELP ").append(metric.name()).append(' ').append(metric.help()).append('\n');
        text.append("# TYPE ").append(metric.name()).append(' ').append(type).append('\n');
        for (Metric.Point point : points) {
            if (metric.kind() == Metric.Kind.HISTOGRAM) {
                histogram(metric.name(), metric.bounds(), point);
            } else {
                sample(metric.name(), "", point.labels(), null, point.value());
            }
        }
    }

    private void histogram(String name, double[] bounds, Metric.Point point) {
        long below = 0;
        for (int i = 0; i < bounds.length; i++) {
            below += point.counts()[i];
            sample(name, "_bucket", point.labels(), number(bounds[i]), below);
        }
        below += point.counts()[bounds.length];
        sample(name, "_bucket", point.labels(), "+Inf", below);
        sample(name, "_sum", point.labels(), null, point.value());
        sample(name, "_count", point.labels(), null, below);
    }

    /** @param bound null: none */
    private void sample(String name, String suffix, Map<String, String> labels, String bound, double value) {
        text.append(name).append(suffix);
        char separator = '{';
        for (Map.Entry<String, String> label : labels.entrySet()) {
            text.append(separator).append(label.getKey()).append("=\"");
            escape(label.getValue());
            text.append('"');
            separator = ',';
        }
        if (bound != null) {
            text.append(separator).append("le=\"").append(bound).append('"');
            separator = ',';
        }
        text.append(separator == ',' ? "} " : " ").append(number(value)).append('\n');
    }

    private void escape(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '\\' -> text.append("\\\\");
                case '"' -> text.append("\\\"");
                case '\n' -> text.append("\\n");
                default -> text.append(c);
            }
        }
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value) : Double.toString(value);
    }
}
