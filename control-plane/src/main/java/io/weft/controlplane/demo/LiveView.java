package io.weft.controlplane.demo;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Who gets what, redrawn ten times a second on the terminal's alternate screen. Fits 80 columns and 24 lines. */
final class LiveView implements View {
    private static final String ALTERNATE_SCREEN = "\u001b[?1049h\u001b[?25l";
    private static final String ORDINARY_SCREEN = "\u001b[?25h\u001b[?1049l";
    private static final String HOME = "\u001b[H";
    private static final String CLEAR_TO_END = "\u001b[J";
    private static final String CLEAR_LINE = "\u001b[K";
    private static final String END_OF_LINE = CLEAR_LINE + "\r\n";
    private static final String BOLD = "\u001b[1m";
    private static final String DIM = "\u001b[2m";
    private static final String BLUE = "\u001b[38;5;75m";
    private static final String ORANGE = "\u001b[38;5;215m";
    private static final String GREEN = "\u001b[38;5;114m";
    private static final String RED = "\u001b[38;5;203m";
    private static final String PLAIN = "\u001b[0m";
    private static final int BAR = 40;
    private static final int WINDOW_MS = 1_000;
    /** More than the demo's callers get in {@link #WINDOW_MS}. */
    private static final int MOST_RECENT = 20_000;

    private final PrintStream out;
    private final DemoMesh mesh;
    private final Answers answers;
    private final List<Step> steps;
    private final Map<String, StepResult> results = new TreeMap<>();
    private final TreeSet<Instance> instances = new TreeSet<>();
    private final Thread painter;
    private Step current;
    private String message = "";
    private boolean closed;

    private record Instance(String version, long pid) implements Comparable<Instance> {
        @Override
        public int compareTo(Instance other) {
            int byVersion = version.compareTo(other.version);
            return byVersion != 0 ? byVersion : Long.compare(pid, other.pid);
        }
    }

    LiveView(PrintStream out, DemoMesh mesh, List<Step> steps) {
        this.out = out;
        this.mesh = mesh;
        this.answers = mesh.answers();
        this.steps = steps;
        out.print(ALTERNATE_SCREEN);
        this.painter = new Thread(this::paintUntilClosed, "demo-view");
        painter.setDaemon(true);
        painter.start();
    }

    @Override
    public synchronized void says(String line) {
        message = line;
    }

    @Override
    public synchronized void began(Step step) {
        current = step;
    }

    @Override
    public synchronized void ended(Step step, StepResult result) {
        results.put(step.name(), result);
        current = null;
    }

    /** Leaves the last picture on the ordinary screen. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        painter.interrupt();
        out.print(ORDINARY_SCREEN);
        out.print(frame().replace(END_OF_LINE, System.lineSeparator()));
        out.flush();
    }

    private void paintUntilClosed() {
        try {
            while (paint()) {
                Thread.sleep(100);
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean paint() {
        if (closed) {
            return false;
        }
        out.print(HOME + frame() + CLEAR_TO_END);
        out.flush();
        return true;
    }

    /** One picture, lines ended by {@link #END_OF_LINE}. */
    private String frame() {
        List<Answer> recent = recent();
        List<String> lines = new ArrayList<>();
        lines.add("  %sweft demo%s  %sunmodified JVMs, one policy file%s   %s".formatted(BOLD, PLAIN, DIM, PLAIN, totals(recent)));
        lines.add(mesh.controlPlaneRuns() && !closed ? "  %sthe same in a browser: %s%s".formatted(DIM, mesh.page(), PLAIN) : "");
        lines.add("  %sbatch ──┬───────────────▶ orders     control plane%s  %s"
                .formatted(DIM, PLAIN, mesh.controlPlaneRuns() ? GREEN + "● runs" + PLAIN : RED + "○ stopped" + PLAIN));
        lines.add("  %s        └─▶ storefront ─▶ orders     policy%s         %s".formatted(DIM, PLAIN, mesh.policy().summary()));
        bars(recent, lines);
        lines.add("");
        for (Step step : steps) {
            lines.add(stepLine(step));
        }
        lines.add("");
        message.lines().forEach(line -> lines.add("  " + DIM + line + PLAIN));
        return String.join(END_OF_LINE, lines) + END_OF_LINE;
    }

    private List<Answer> recent() {
        long since = System.currentTimeMillis() - WINDOW_MS;
        List<Answer> recent = new ArrayList<>(answers.since(Math.max(0, answers.size() - MOST_RECENT)));
        recent.removeIf(answer -> answer.endedMs() < since);
        return recent;
    }

    private String totals(List<Answer> recent) {
        if (!answers.counting()) {
            return DIM + "starting" + PLAIN;
        }
        int failed = answers.failed();
        return String.format(
                Locale.ROOT, "%,d/s  %,d in all  %s%,d failed%s",
                recent.size(), answers.size(), failed == 0 ? GREEN : RED, failed, PLAIN);
    }

    /** Each version, and below it its instances; one that has ever answered stays. */
    private void bars(List<Answer> recent, List<String> lines) {
        Map<String, Integer> versions = new TreeMap<>(Map.of("v1", 0, "v2", 0));
        Map<Instance, Integer> byInstance = new TreeMap<>();
        int total = 0;
        for (Answer answer : recent) {
            if (!answer.failed()) {
                Instance instance = new Instance(answer.version(), answer.pid());
                instances.add(instance);
                versions.merge(instance.version, 1, Integer::sum);
                byInstance.merge(instance, 1, Integer::sum);
                total++;
            }
        }
        for (Map.Entry<String, Integer> version : versions.entrySet()) {
            String color = version.getKey().equals("v2") ? ORANGE : BLUE;
            lines.add("  " + BOLD + "orders " + version.getKey() + PLAIN + "   " + bar(color, version.getValue(), total));
            for (Instance instance : instances) {
                if (instance.version.equals(version.getKey())) {
                    lines.add("    %s%-8d%s  ".formatted(DIM, instance.pid, PLAIN)
                            + (mesh.killed(instance.pid)
                                    ? RED + "killed" + PLAIN
                                    : bar(DIM + color, byInstance.getOrDefault(instance, 0), total)));
                }
            }
        }
    }

    private static String bar(String color, int count, int total) {
        double share = total == 0 ? 0 : (double) count / total;
        int filled = (int) Math.round(share * BAR);
        return String.format(
                Locale.ROOT, "%s%s%s%s%s  %5.1f %%  %,6d/s",
                color, "█".repeat(filled), PLAIN + DIM, "·".repeat(BAR - filled), PLAIN, 100 * share, count);
    }

    private String stepLine(Step step) {
        StepResult result = results.get(step.name());
        if (result == null) {
            return step == current
                    ? "  %s▶ %s%s".formatted(BOLD, step.title(), PLAIN)
                    : "  %s· %s%s".formatted(DIM, step.title(), PLAIN);
        }
        return String.format(
                Locale.ROOT,
                "  %s%s%s %-30s  v1 %5.1f %%  v2 %5.1f %%  %d failed %s",
                result.ok() ? GREEN : RED,
                result.ok() ? "✓" : "✗",
                PLAIN,
                step.title(),
                100 * result.observed().getOrDefault("v1", 0.0),
                100 * result.observed().getOrDefault("v2", 0.0),
                result.failed(),
                result.effectiveAfterMs() < 0 ? RED + " not in force" + PLAIN : String.format(Locale.ROOT, "%,6d ms", result.effectiveAfterMs()));
    }
}
