package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.HedgedAttempt;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The attempts of a hedged request that are under way at once: each goes its own way, the mesh says whose outcome counts, and the
 * others are ended before the app hears of it. The JDK's {@code MultiExchange} knows one exchange, so one of them stands for all: when
 * the app gives up, the mesh ends the rest.
 */
final class Contest {
    private final Attempts original;
    private final CompletableFuture<Object> outcome = new CompletableFuture<>();
    /** Guarded by this. */
    private final List<Attempts> running = new ArrayList<>();
    /** Known to the {@code MultiExchange}. Guarded by this. */
    private Attempts standing;
    /** Guarded by this. */
    private boolean over;

    Contest(Attempts original) {
        this.original = original;
        standing = original;
        running.add(original);
    }

    /** What comes of an attempt that does not count. A new one each time, for nobody to pile up at. */
    static CompletableFuture<Object> nothing() {
        return new CompletableFuture<>();
    }

    Attempts original() {
        return original;
    }

    CompletableFuture<Object> outcome() {
        return outcome;
    }

    /** What comes of the attempt is what comes of the request, unless it does not count. */
    void follow(CompletableFuture<Object> attempt) {
        attempt.whenComplete((response, failure) -> {
            if (failure == null) {
                outcome.complete(response);
            } else {
                outcome.completeExceptionally(failure);
            }
        });
    }

    /** @return false: it comes too late */
    synchronized boolean join(Attempts further, HedgedAttempt exchange) throws Throwable {
        boolean inTime = !over && !exchange.isOutdone();
        if (inTime) {
            running.add(further);
            if (!running.contains(standing)) {
                // All the others have failed while this one waited for its turn.
                stand(further);
            }
        }
        return inTime;
    }

    /** Whether the exchange of these attempts is the one that the app's cancellation reaches. */
    synchronized boolean stands(Attempts attempts) {
        return standing == attempts;
    }

    /** Its outcome does not count; another one's is to come. */
    synchronized void leave(Attempts outdone) throws Throwable {
        running.remove(outdone);
        if (standing == outdone && !running.isEmpty()) {
            stand(running.get(0));
        }
    }

    /**
     * Before its outcome is told. Returns when the mesh has nothing more to do with the others.
     *
     * @return false: another one was first, as when the app gives up meanwhile
     */
    boolean end(Attempts winner) throws Throwable {
        List<Attempts> others;
        synchronized (this) {
            if (over) {
                return false;
            }
            over = true;
            others = new ArrayList<>(running);
            others.remove(winner);
            running.clear();
            running.add(winner);
        }
        for (Attempts other : others) {
            other.retire();
        }
        synchronized (this) {
            if (standing != winner) {
                stand(winner);
            }
        }
        return true;
    }

    /** An attempt could not begin, and no other is left. */
    void fail(Throwable fault) {
        outcome.completeExceptionally(fault);
    }

    private void stand(Attempts next) throws Throwable {
        standing = next;
        next.stand();
    }
}
