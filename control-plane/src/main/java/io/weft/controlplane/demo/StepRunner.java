package io.weft.controlplane.demo;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Does a step and judges it by what the callers got: the shares over a fixed number of requests that began after the step was
 * in force, each within three standard errors; and no failure, from the action to the last of these requests.
 *
 * <p>Every request draws by itself, as in Envoy, so that one run in eighty would have a share outside three standard errors
 * though nothing is wrong. Such a step is judged once more, over {@link #SECOND_LOOK} times as many requests and by the same
 * rule: with more requests chance comes back, and a share that is wrong stands out the more.
 */
final class StepRunner {
    /** How many answers without a contradiction show that the old policy is gone. */
    private static final int QUIET = 300;

    private static final int SECOND_LOOK = 4;

    private static final long PATIENCE_MS = 15_000;
    private static final List<String> CALLERS = List.of("direct", "storefront");

    private final DemoMesh mesh;
    private final Answers answers;
    private final int requests;
    private final long patienceMs;

    /** @param requests how many are counted for each step, 2,000 or more */
    StepRunner(DemoMesh mesh, int requests) {
        this(mesh, requests, PATIENCE_MS);
    }

    /** @param patienceMs within which a step comes into force; for enough answers to show it there are four times as long */
    StepRunner(DemoMesh mesh, int requests, long patienceMs) {
        this.patienceMs = patienceMs;
        this.mesh = mesh;
        this.answers = mesh.answers();
        this.requests = requests;
    }

    StepResult run(Step step) throws Exception {
        int position = answers.size();
        answers.intend(step.refused());
        long began = System.currentTimeMillis();
        step.action().run(mesh);
        long done = System.currentTimeMillis();

        long effectiveAt = await(step.inForce(), position, began, done);
        boolean inForce = effectiveAt >= 0;
        long countFrom = inForce ? effectiveAt : System.currentTimeMillis();
        Sample sample = sample(step, position, requests, countFrom);
        if (sample.enough && !holds(step, sample)) {
            sample = sample(step, position, SECOND_LOOK * requests, countFrom);
        }
        Map<String, Integer> failures = new TreeMap<>();
        sample.all.stream()
                .filter(answer -> fails(step, answer) && !excused(step, answer, done))
                .forEach(answer -> failures.merge(answer.failure(), 1, Integer::sum));
        int lost = (int) sample.all.stream().filter(answer -> fails(step, answer) && excused(step, answer, done)).count();
        int failed = failures.values().stream().mapToInt(Integer::intValue).sum();
        return new StepResult(
                step.name(),
                new TreeMap<>(step.expected()),
                shares(step, sample.counted),
                sample.counted.size(),
                failed,
                lost,
                failures,
                inForce ? Math.max(0, effectiveAt - began) : -1,
                inForce && sample.enough && failed == 0 && holds(step, sample));
    }

    /**
     * @param all since the action
     * @param counted those that began while the step was in force
     * @param enough were counted
     */
    private record Sample(List<Answer> all, List<Answer> counted, boolean enough) {}

    private Sample sample(Step step, int position, int count, long countFrom) throws InterruptedException {
        Predicate<Answer> counts = answer -> answer.startedMs() > countFrom && !step.refused().test(answer);
        boolean enough = answers.await(position, count, counts, 4 * patienceMs);
        mesh.requireAlive();
        List<Answer> all = answers.since(position);
        return new Sample(all, all.stream().filter(counts).toList(), enough);
    }

    private static boolean holds(Step step, Sample sample) {
        Map<String, Double> observed = shares(step, sample.counted);
        return step.expected().entrySet().stream()
                .allMatch(share -> within(observed.get(share.getKey()), share.getValue(), sample.counted.size()));
    }

    private static boolean fails(Step step, Answer answer) {
        return answer.failed() && !step.refused().test(answer);
    }

    /**
     * Requests that were on their way to the killed process are lost with it, with or without a mesh.
     *
     * @param done when the process was gone
     */
    private static boolean excused(Step step, Answer answer, long done) {
        return step.inForce() instanceof Step.Gone && answer.startedMs() <= done;
    }

    /** @return when the step came into force, wall clock; -1 when it did not in time */
    private long await(Step.Effect effect, int position, long began, long done) throws Exception {
        if (effect instanceof Step.Appears appears) {
            return awaitFirst(appears.evidence(), position);
        }
        if (effect instanceof Step.Vanishes vanishes) {
            return awaitLast(vanishes.contradiction(), position, began);
        }
        if (effect instanceof Step.Gone gone) {
            return awaitLast(answer -> answer.failed() || gone.instance().test(mesh, answer), position, began);
        }
        if (effect instanceof Step.Seen seen) {
            return awaitSeen(seen.look(), done);
        }
        return done;
    }

    private long awaitSeen(Step.Look look, long done) throws Exception {
        while (!look.at(mesh)) {
            if (System.currentTimeMillis() > done + patienceMs) {
                return -1;
            }
            Thread.sleep(20);
        }
        return System.currentTimeMillis();
    }

    private long awaitFirst(Predicate<Answer> evidence, int position) throws InterruptedException {
        for (String caller : CALLERS) {
            if (!answers.await(position, 1, answer -> answer.via().equals(caller) && evidence.test(answer), patienceMs)) {
                return -1;
            }
        }
        List<Answer> seen = answers.since(position);
        return CALLERS.stream()
                .mapToLong(
                        caller ->
                                seen.stream()
                                        .filter(answer -> answer.via().equals(caller) && evidence.test(answer))
                                        .mapToLong(Answer::endedMs)
                                        .min()
                                        .orElseThrow())
                .max()
                .orElseThrow();
    }

    private long awaitLast(Predicate<Answer> contradiction, int position, long began) throws InterruptedException {
        long now = System.currentTimeMillis();
        long deadline = now + patienceMs;
        // A machine that is busy gives few answers, which says nothing against the step.
        long end = now + 4 * patienceMs;
        while (System.currentTimeMillis() < end) {
            List<Answer> seen = answers.since(position);
            long last = began;
            for (Answer answer : seen) {
                if (answer.startedMs() > last && contradiction.test(answer)) {
                    last = answer.startedMs();
                }
            }
            Map<String, Integer> quiet = new HashMap<>();
            for (Answer answer : seen) {
                if (answer.startedMs() > last) {
                    quiet.merge(answer.via(), 1, Integer::sum);
                }
            }
            if (CALLERS.stream().allMatch(caller -> quiet.getOrDefault(caller, 0) >= QUIET)) {
                return last;
            }
            if (last > deadline) {
                return -1;
            }
            Thread.sleep(20);
        }
        return -1;
    }

    private static Map<String, Double> shares(Step step, List<Answer> counted) {
        Map<String, Integer> counts = new TreeMap<>();
        step.expected().keySet().forEach(version -> counts.put(version, 0));
        for (Answer answer : counted) {
            if (!answer.failed()) {
                counts.merge(answer.version(), 1, Integer::sum);
            }
        }
        Map<String, Double> shares = new TreeMap<>();
        int total = Math.max(1, counted.size());
        counts.forEach((version, count) -> shares.put(version, Math.round(10_000.0 * count / total) / 10_000.0));
        return shares;
    }

    /** Three standard errors of a share, and half a unit of the last digit that is printed. */
    static boolean within(double observed, double expected, int requests) {
        return requests > 0
                && Math.abs(observed - expected) <= 3 * Math.sqrt(expected * (1 - expected) / requests) + 0.00005;
    }
}
