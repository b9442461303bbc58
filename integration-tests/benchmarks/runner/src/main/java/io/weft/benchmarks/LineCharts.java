package io.weft.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * Charts side by side as an SVG picture that can be read in light and in dark surroundings: of the same things over the same time, each of
 * another quantity, from 0 on.
 *
 * @param things what the lines are of, three at most
 */
record LineCharts(String title, List<String> things, List<Chart> charts) {
    private static final int WIDTH = 860;
    private static final int GAP = 24;
    private static final int TOP = 84;
    private static final int HEIGHT = 150;
    private static final String STYLE = """
            text { font: 13px system-ui, sans-serif; fill: #1f2328; } .title { font-weight: 600; font-size: 15px; }
            polyline { fill: none; stroke-width: 2; } .axis { stroke: #8c959f; }
            .line0 { stroke: #4c7a9f; } .line1 { stroke: #b8503f; stroke-dasharray: 6 3; } .line2 { stroke: #3b8757; stroke-dasharray: 2 2; }
            @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
            """;

    LineCharts {
        things = List.copyOf(things);
        charts = List.copyOf(charts);
    }

    /**
     * @param quantity with its unit
     * @param lines of each thing, in their order, values at equal distances of time
     */
    record Chart(String quantity, List<List<Double>> lines) {
        Chart {
            lines = List.copyOf(lines);
        }

        private double most() {
            return lines.stream().flatMap(List::stream).mapToDouble(Double::doubleValue).max().orElse(0);
        }
    }

    String svg() {
        StringBuilder svg = Svg.begin(WIDTH, TOP + HEIGHT + 24, STYLE, title);
        for (int i = 0; i < things.size(); i++) {
            int x = 8 + i * 200;
            svg.append("<polyline class=\"line%d\" points=\"%d,44 %d,44\"/><text x=\"%d\" y=\"48\">%s</text>%n".formatted(
                    i, x, x + 28, x + 34, Svg.escaped(things.get(i))));
        }
        int width = (WIDTH - 16 - GAP * (charts.size() - 1)) / charts.size();
        for (int i = 0; i < charts.size(); i++) {
            append(svg, charts.get(i), 8 + i * (width + GAP), width);
        }
        return svg.append("</svg>\n").toString();
    }

    private static void append(StringBuilder svg, Chart chart, int x, int width) {
        double most = chart.most();
        int bottom = TOP + HEIGHT;
        svg.append("<text x=\"%d\" y=\"%d\">%s</text>%n".formatted(
                x, TOP - 10, Svg.escaped(chart.quantity + ", at most " + String.format(Locale.ROOT, "%.0f", most))));
        svg.append("<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>%n".formatted(x, bottom, x + width, bottom));
        for (int i = 0; i < chart.lines.size(); i++) {
            List<Double> line = chart.lines.get(i);
            StringBuilder points = new StringBuilder();
            for (int at = 0; at < line.size(); at++) {
                points.append(String.format(Locale.ROOT, "%.1f,%.1f ",
                        x + (double) width * at / Math.max(1, line.size() - 1), bottom - (most == 0 ? 0 : HEIGHT * line.get(at) / most)));
            }
            svg.append("<polyline class=\"line%d\" points=\"%s\"/>%n".formatted(i, points.toString().strip()));
        }
    }
}
