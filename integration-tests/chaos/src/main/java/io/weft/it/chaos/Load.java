package io.weft.it.chaos;

import io.weft.it.harness.JvmProcess;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Requests of an app, {@value #THREADS} at a time, until it is told to stop. Nobody else may ask the app meanwhile. */
final class Load {
    private static final int THREADS = 4;
    private static final int BATCH = 40;

    /**
     * Requests of one kind.
     *
     * @param answers who may answer them
     */
    record Expectation(String url, Map<String, String> headers, Set<String> answers) {}

    private final JvmProcess client;
    private final Runnable afterEachRound;
    private final CompletableFuture<Count> end;
    private volatile List<Expectation> expectations;
    private volatile boolean over;
    /** Who answered in the newest batch. */
    private volatile Set<String> answering = Set.of();
    private int rounds;

    private Load(JvmProcess client, List<Expectation> expectations, Runnable afterEachRound) {
        this.client = client;
        this.expectations = expectations;
        this.afterEachRound = afterEachRound;
        this.end = CompletableFuture.supplyAsync(this::run);
    }

    static Load start(JvmProcess client, List<Expectation> expectations, Runnable afterEachRound) {
        return new Load(client, expectations, afterEachRound);
    }

    /** Holds for the requests that are sent from the next batch on, and for those that are under way. */
    void expect(List<Expectation> expectations) {
        this.expectations = expectations;
    }

    /** Returns when so many more rounds were begun and ended; at once when the load has failed. */
    void awaitRounds(int more) throws InterruptedException {
        int wanted = rounds() + more + 1;
        while (rounds() < wanted && !end.isDone()) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /** Returns when that one has answered what was begun after now; at once when the load has failed. */
    void awaitAnswerOf(String name) throws InterruptedException {
        awaitRounds(0);
        while (!answering.contains(name) && !end.isDone()) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    Count stop() {
        over = true;
        return end.join();
    }

    private Count run() {
        Count sum = Count.NONE;
        while (!over) {
            for (int kind = 0; kind < expectations.size(); kind++) {
                Map<String, String> tally = ask(client, expectations.get(kind));
                // An expectation that was changed meanwhile is the one that holds.
                Expectation expectation = expectations.get(kind);
                sum = sum.plus(count(tally, expectation));
                answering = expectation.answers().stream().filter(name -> tally.containsKey("body." + name)).collect(Collectors.toSet());
            }
            afterEachRound.run();
            nextRound();
        }
        return sum;
    }

    private synchronized void nextRound() {
        rounds++;
    }

    private synchronized int rounds() {
        return rounds;
    }

    /** A batch by itself. */
    static Count batch(JvmProcess client, Expectation expectation) {
        return count(ask(client, expectation), expectation);
    }

    private static Map<String, String> ask(JvmProcess client, Expectation expectation) {
        Map<String, String> form = new LinkedHashMap<>();
        form.put("url", expectation.url());
        expectation.headers().forEach((name, value) -> form.put("header." + name, value));
        form.put("times", Integer.toString(BATCH));
        form.put("threads", Integer.toString(THREADS));
        form.put("timed", "");
        return client.ask(form);
    }

    private static Count count(Map<String, String> tally, Expectation expectation) {
        Map<String, Integer> failures = new TreeMap<>();
        int answered = Integer.parseInt(tally.getOrDefault("status.200", "0"));
        int rightly = 0;
        for (Map.Entry<String, String> entry : tally.entrySet()) {
            int count = Integer.parseInt(entry.getValue());
            String what = entry.getKey();
            if (what.startsWith("error.") || what.startsWith("status.") && !what.equals("status.200")) {
                failures.put(what.substring(what.indexOf('.') + 1), count);
            } else if (what.startsWith("body.") && expectation.answers().contains(what.substring("body.".length()))) {
                rightly += count;
            }
        }
        return new Count(BATCH, failures, answered - rightly, Integer.parseInt(tally.get("slowest")));
    }
}
