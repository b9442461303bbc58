package io.weft.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * Horizontal bars as an SVG picture that can be read in light and in dark surroundings.
 *
 * @param title for people, and for whoever hears the picture
 * @param bars from top to bottom
 * @param limit where a line is drawn across all bars; 0: nowhere
 */
record BarChart(String title, List<Bar> bars, double limit) {
    private static final int WIDTH = 860;
    private static final int LABELS = 250;
    private static final int FIGURES = 170;
    private static final int ROW = 26;
    private static final int TOP = 48;
    private static final String STYLE = """
            text { font: 13px system-ui, sans-serif; fill: #1f2328; } .title { font-weight: 600; font-size: 15px; }
            .plain { fill: #4c7a9f; } .good { fill: #3b8757; } .bad { fill: #b8503f; } .limit { stroke: #1f2328; stroke-dasharray: 4 3; }
            @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .limit { stroke: #e6edf3; } }
            """;

    BarChart {
        bars = List.copyOf(bars);
    }

    /** What a bar is drawn in, beside what its figure says. */
    enum Kind { PLAIN, GOOD, BAD }

    /**
     * @param length at least 0, in the unit of all bars
     * @param figure what stands behind the bar
     */
    record Bar(String label, double length, String figure, Kind kind) {}

    String svg() {
        double most = Math.max(limit, bars.stream().mapToDouble(Bar::length).max().orElse(0));
        double unit = most == 0 ? 0 : (WIDTH - LABELS - FIGURES) / most;
        int height = TOP + bars.size() * ROW + 12;
        StringBuilder svg = Svg.begin(WIDTH, height, STYLE, title);
        for (int i = 0; i < bars.size(); i++) {
            append(svg, bars.get(i), TOP + i * ROW, unit);
        }
        if (limit > 0) {
            svg.append(String.format(Locale.ROOT, "<line class=\"limit\" x1=\"%1$.1f\" y1=\"%2$d\" x2=\"%1$.1f\" y2=\"%3$d\"/>%n",
                    LABELS + limit * unit, TOP - 6, height - 8));
        }
        return svg.append("</svg>\n").toString();
    }

    private static void append(StringBuilder svg, Bar bar, int y, double unit) {
        double length = Math.max(1, bar.length * unit);
        svg.append(String.format(Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text><rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>"
                        + "<text x=\"%.1f\" y=\"%d\">%s</text>%n",
                LABELS - 8, y + 14, Svg.escaped(bar.label), bar.kind.name().toLowerCase(Locale.ROOT), LABELS, y, length, ROW - 8,
                LABELS + length + 6, y + 14, Svg.escaped(bar.figure)));
    }
}
