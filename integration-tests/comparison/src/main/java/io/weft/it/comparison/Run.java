package io.weft.it.comparison;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Draws cases, compares them batch by batch and shrinks what fails. For one thread. */
final class Run {
    private static final int BATCH = 100;

    /** Beyond these only the number of differences is told: they have the same few causes. */
    private static final int MOST_TOLD = 20;
    private static final int MOST_OF_A_KIND = 2;

    /** @param seed with which {@code --cases 1} repeats the case */
    record Failed(long seed, Verdict smallest) {}

    /** @param differences all of them; {@code told} has those that were shrunk */
    record Result(int cases, int differences, int refusedByBoth, List<Failed> told) {}

    private final Comparison comparison;
    private final Areas areas;
    private final boolean shrink;
    private final Consumer<String> progress;

    Run(Comparison comparison, Areas areas, boolean shrink, Consumer<String> progress) {
        this.comparison = comparison;
        this.areas = areas;
        this.shrink = shrink;
        this.progress = progress;
    }

    /** A pause of the machine looks like a difference where time decides; it does not come again. */
    private boolean repeats(Case one) {
        for (int i = 0; i < 2; i++) {
            if (comparison.run(List.of(one)).get(0).difference().isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** The case of each seed from the first on. */
    Result run(long firstSeed, int count) {
        List<Failed> told = new ArrayList<>();
        Map<String, Integer> kinds = new HashMap<>();
        int differences = 0;
        int refused = 0;
        long started = System.nanoTime();
        for (int done = 0; done < count; done += BATCH) {
            int size = Math.min(BATCH, count - done);
            List<Case> cases = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                cases.add(areas.draw(firstSeed + done + i));
            }
            List<Verdict> verdicts = comparison.run(cases);
            for (int i = 0; i < size; i++) {
                Verdict verdict = verdicts.get(i);
                if (verdict.difference().isPresent() && !repeats(cases.get(i))) {
                    progress.accept("seed " + (firstSeed + done + i) + " differed once and not again: the machine paused");
                } else if (verdict.difference().isPresent()) {
                    differences++;
                    String kind = verdict.difference().get().kind();
                    if (told.size() < MOST_TOLD && kinds.merge(kind, 1, Integer::sum) <= MOST_OF_A_KIND) {
                        told.add(new Failed(firstSeed + done + i, shrink ? new Shrinker(comparison).shrink(verdict) : verdict));
                    }
                } else if (verdict.refused()) {
                    refused++;
                }
            }
            double seconds = (System.nanoTime() - started) / 1e9;
            progress.accept("%d of %d cases, %.0f a second, %d differences".formatted(done + size, count, (done + size) / seconds, differences));
        }
        return new Result(count, differences, refused, List.copyOf(told));
    }
}
