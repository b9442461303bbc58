package io.weft.controlplane.demo;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Who gets what, redrawn ten times a second on the terminal's alternate screen. */
final class LiveView implements View {
    private static final String ALTERNATE_SCREEN = "\u001b[?1049h\u001b[?25l";
    private static final String ORDINARY_SCREEN = "\u001b[?25h\u001b[?1049l";
    private static final String HOME = "\u001b[H";
    private static final String CLEAR_TO_END = "\u001b[J";
    private static final String END_OF_LINE = "\u001b[K\r\n";
    private static final String BOLD = "\u001b[1m";
    private static final String DIM = "\u001b[2m";
    private static final String BLUE = "\u001b[38;5;75m";
    private static final String ORANGE = "\u001b[38;5;215m";
    private static final String GREEN = "\u001b[38;5;114m";
    private static final String RED = "\u001b[38;5;203m";
    private static final String PLAIN = "\u001b[0m";
    private static final int BAR = 40;
    private static final int WINDOW_MS = 1_000;

    private final PrintStream out;
    private final Answers answers;
    private final List<Step> steps;
    private final Map<String, StepResult> results = new TreeMap<>();
    private final long began = System.currentTimeMillis();
    private final Thread painter;
    private Step current;
    private String message = "";
    private boolean closed;

    LiveView(PrintStream out, Answers answers, List<Step> steps) {
        this.out = out;
        this.answers = answers;
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

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        painter.interrupt();
        out.print(ORDINARY_SCREEN);
        out.print(frame().replace("\u001b[K\r\n", System.lineSeparator()));
        out.flush();
    }

    private void paintUntilClosed() {
        try {
            while (!Thread.interrupted()) {
                String frame = frame();
                synchronized (this) {
                    if (closed) {
                        return;
                    }
                    out.print(HOME + frame + CLEAR_TO_END);
                    out.flush();
                }
                Thread.sleep(100);
            }
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    /** One picture, lines ended by {@link #END_OF_LINE}. */
    private synchronized String frame() {
        long now = System.currentTimeMillis();
        int size = answers.size();
        List<Answer> recent = new ArrayList<>(answers.since(Math.max(0, size - 20_000)));
        recent.removeIf(answer -> answer.endedMs() < now - WINDOW_MS);
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add(
                "  %sweft demo%s   %sunmodified JVMs, one policy file%s   %,d requests/s   %,d in all   %s%,d failed%s   %d s"
                        .formatted(
                                BOLD, PLAIN, DIM, PLAIN, recent.size(), size,
                                answers.failed() == 0 ? GREEN : RED, answers.failed(), PLAIN, (now - began) / 1000));
        lines.add("");
        lines.add("  %sbatch ──┬───────────────▶ orders%s   by version".formatted(DIM, PLAIN));
        lines.add("  %s        └─▶ storefront ─▶ orders%s".formatted(DIM, PLAIN));
        lines.add("");
        versionBars(recent, lines);
        lines.add("");
        lines.add("  %sby instance%s".formatted(DIM, PLAIN));
        instanceBars(recent, lines);
        lines.add("");
        for (Step step : steps) {
            lines.add(stepLine(step));
        }
        lines.add("");
        lines.add("  " + DIM + message + PLAIN);
        return String.join(END_OF_LINE, lines) + END_OF_LINE;
    }

    private static void versionBars(List<Answer> recent, List<String> lines) {
        Map<String, Integer> counts = new TreeMap<>(Map.of("v1", 0, "v2", 0));
        recent.stream().filter(answer -> !answer.failed()).forEach(answer -> counts.merge(answer.version(), 1, Integer::sum));
        counts.forEach((version, count) -> lines.add(bar("orders " + version, color(version), count, recent.size())));
    }

    private static void instanceBars(List<Answer> recent, List<String> lines) {
        Map<String, Integer> counts = new TreeMap<>();
        recent.stream()
                .filter(answer -> !answer.failed())
                .forEach(answer -> counts.merge(answer.version() + " " + answer.instance(), 1, Integer::sum));
        counts.forEach(
                (instance, count) ->
                        lines.add(bar(instance.replace(" ", " pid "), color(instance.substring(0, 2)), count, recent.size())));
    }

    private static String color(String version) {
        return version.equals("v2") ? ORANGE : BLUE;
    }

    private static String bar(String label, String color, int count, int total) {
        double share = total == 0 ? 0 : (double) count / total;
        int filled = (int) Math.round(share * BAR);
        return String.format(
                Locale.ROOT,
                "  %-16s %s%s%s%s%s %5.1f %%  %,6d/s",
                label, color, "█".repeat(filled), PLAIN + DIM, "·".repeat(BAR - filled), PLAIN, 100 * share, count);
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
                "  %s%s%s %-64s v1 %5.1f %%  v2 %5.1f %%  %d failed  after %d ms",
                result.ok() ? GREEN : RED,
                result.ok() ? "✓" : "✗",
                PLAIN,
                step.title(),
                100 * result.observed().getOrDefault("v1", 0.0),
                100 * result.observed().getOrDefault("v2", 0.0),
                result.failed(),
                result.effectiveAfterMs());
    }
}
