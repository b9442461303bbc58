package io.weft.controlplane.demo;

import java.io.PrintStream;
import java.util.Locale;

/** A line for each event; for logs, pipes and CI. */
final class PlainView implements View {
    private final PrintStream out;

    PlainView(PrintStream out) {
        this.out = out;
    }

    @Override
    public void says(String line) {
        out.println(line);
    }

    @Override
    public void began(Step step) {
        out.println("… " + step.title());
    }

    @Override
    public void ended(Step step, StepResult result) {
        out.printf(
                Locale.ROOT,
                "%s %-20s v1 %5.1f %%  v2 %5.1f %%  of %,d requests, %d failed%s, %s%n",
                result.ok() ? "✓" : "✗",
                step.name(),
                100 * result.observed().getOrDefault("v1", 0.0),
                100 * result.observed().getOrDefault("v2", 0.0),
                result.requests(),
                result.failed(),
                result.lost() == 0 ? "" : " and " + result.lost() + " lost with the killed process",
                result.effectiveAfterMs() < 0 ? "not seen in force" : "in force after " + result.effectiveAfterMs() + " ms");
    }

    @Override
    public void close() {}
}
