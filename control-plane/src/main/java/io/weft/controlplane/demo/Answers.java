package io.weft.controlplane.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The answers in the order logged. One thread adds, others read. What comes before {@link #beginCounting} shows only that the
 * services have not all found each other yet.
 */
final class Answers {
    private final List<Answer> log = new ArrayList<>();
    private final Map<String, Integer> failures = new TreeMap<>();
    private boolean counting;
    private Predicate<Answer> intended = answer -> false;

    /** Forgets what was. */
    synchronized void beginCounting() {
        log.clear();
        failures.clear();
        counting = true;
    }

    /** From now on such answers are what is wanted, and no failures. */
    synchronized void intend(Predicate<Answer> kind) {
        intended = kind;
    }

    synchronized boolean counting() {
        return counting;
    }

    synchronized void add(Answer answer) {
        log.add(answer);
        if (answer.failed() && !intended.test(answer)) {
            failures.merge(answer.failure(), 1, Integer::sum);
        }
        notifyAll();
    }

    synchronized int size() {
        return log.size();
    }

    synchronized int failed() {
        return failures.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** How often each was seen. */
    synchronized Map<String, Integer> failures() {
        return new TreeMap<>(failures);
    }

    /** A copy of what was logged from this position on. */
    synchronized List<Answer> since(int position) {
        return List.copyOf(log.subList(position, log.size()));
    }

    /**
     * Waits until enough answers of one kind are there.
     *
     * @param position where to begin
     * @return false when the time was over first
     */
    synchronized boolean await(int position, int count, Predicate<Answer> kind, long timeoutMs)
            throws InterruptedException {
        long deadline = System.currentTimeMillis() + timeoutMs;
        int found = 0;
        int next = position;
        while (true) {
            while (next < log.size() && found < count) {
                if (kind.test(log.get(next++))) {
                    found++;
                }
            }
            if (found >= count) {
                return true;
            }
            long left = deadline - System.currentTimeMillis();
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
    }
}
