package io.weft.controlplane.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Every answer since the traffic began, in the order logged. One thread adds, others read. */
final class Answers {
    private final List<Answer> log = new ArrayList<>();
    private long failed;

    synchronized void add(Answer answer) {
        log.add(answer);
        if (answer.failed()) {
            failed++;
        }
        notifyAll();
    }

    synchronized int size() {
        return log.size();
    }

    synchronized long failed() {
        return failed;
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
