package io.weft.it.comparison;

import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The two sides and their upstreams; gives both the same and says where they differ. For one thread. */
final class Comparison implements AutoCloseable {
    /** How many listeners there are, and so how many different settings a batch may have. */
    static final int LANES = 8;

    private static final int CASES_AT_ONCE = 24;
    private static final long IN_FORCE_SECONDS = 30;
    private static final long REPEAT_SECONDS = 3;
    /** For how long a case is as it is before: longer than a slow start here. */
    private static final long BEFORE_MILLIS = SlowStartArea.WINDOW_MILLIS + 500;
    /** Between requests that are under way at once. */
    private static final long STAGGER_MILLIS = 250;
    /** Between requests where their times decide. */
    static final long STEADY_MILLIS = 100;

    private final Testbed testbed = new Testbed();
    private final Upstreams upstreams = testbed.closeAfterwards(new Upstreams());
    private final Clusters clusters = new Clusters(upstreams);
    private final AccessLogs accessLogs = testbed.closeAfterwards(new AccessLogs(testbed.temporaryFolder()));
    private final ExecutorService executor = Executors.newFixedThreadPool(2 * CASES_AT_ONCE);
    /** The requests of a case that are under way at once, and cases that wait more than they work. */
    private final ExecutorService atOnce = Executors.newCachedThreadPool();
    private final List<Integer> ports = Stream.generate(Port::unused).limit(LANES).toList();
    private final EnvoySubject envoy;
    private final JvmSubject jvm;
    private final List<Case.Settings> homes = new ArrayList<>();
    /** By port. */
    private final Map<Integer, HttpConnectionManager> managers = new HashMap<>();
    private int batches;
    private int instances;

    Comparison(EnvoyBinary binary, Jdk jdk) {
        testbed.closeAfterwards(executor::shutdownNow);
        testbed.closeAfterwards(atOnce::shutdownNow);
        envoy = testbed.closeAfterwards(new EnvoySubject(binary, testbed.temporaryFolder()));
        jvm = testbed.closeAfterwards(new JvmSubject(testbed, jdk, upstreams));
    }

    /** For generators that make clusters of their own. */
    Clusters clusters() {
        return clusters;
    }

    /** For generators whose requests are written down. */
    AccessLogs accessLogs() {
        return accessLogs;
    }

    /** @return in the order of the cases */
    List<Verdict> run(List<Case> cases) {
        List<Verdict> verdicts = new ArrayList<>();
        List<Case> batch = new ArrayList<>();
        for (Case one : cases) {
            batch.add(one);
            if (batch.stream().filter(each -> each.conduct().way() == Case.Way.OUT).map(Case::settings).distinct().count() > LANES) {
                batch.remove(batch.size() - 1);
                verdicts.addAll(runTogether(batch));
                batch = new ArrayList<>(List.of(one));
            }
        }
        verdicts.addAll(runTogether(batch));
        return verdicts;
    }

    private List<Verdict> runTogether(List<Case> cases) {
        if (cases.isEmpty()) {
            return List.of();
        }
        int first = instances;
        instances = (instances + cases.size()) % 900_000;
        if (cases.stream().anyMatch(one -> !one.conduct().before().isEmpty())) {
            inForce(Batch.of(++batches, cases.stream().map(Case::before).toList(), first, ports, homes, clusters));
            pause(BEFORE_MILLIS);
        }
        Batch batch = Batch.of(++batches, cases, first, ports, homes, clusters);
        envoy.serve(batch);
        jvm.serve(batch);
        Optional<String> ofEnvoy = awaitInForce(envoy, batch);
        Optional<String> ofJvm = awaitInForce(jvm, batch);
        awaitFilters(batch);
        if (ofEnvoy.isEmpty() && ofJvm.isEmpty()) {
            return compare(cases, batch);
        }
        if (cases.size() > 1) {
            // One refused case takes the whole configuration with it: find it.
            List<Verdict> verdicts = new ArrayList<>(runTogether(cases.subList(0, cases.size() / 2)));
            verdicts.addAll(runTogether(cases.subList(cases.size() / 2, cases.size())));
            return verdicts;
        }
        if (ofEnvoy.isPresent() && ofJvm.isPresent()) {
            return List.of(new Verdict(cases.get(0), Optional.empty(), true));
        }
        Difference difference = ofEnvoy.isPresent()
                ? new Difference("refused by Envoy", "only Envoy refuses it: " + ofEnvoy.get())
                : new Difference("refused by the agent", "only the agent refuses it: " + ofJvm.get());
        return List.of(new Verdict(cases.get(0), Optional.of(difference), true));
    }

    /** One that is refused is refused again as it is to be. */
    private void inForce(Batch batch) {
        envoy.serve(batch);
        jvm.serve(batch);
        awaitInForce(envoy, batch);
        awaitInForce(jvm, batch);
    }

    /** The probes show that routes are in force. A listener that has other filters now has them a moment later. */
    private void awaitFilters(Batch batch) {
        boolean changed = false;
        for (Batch.Lane lane : batch.lanes()) {
            HttpConnectionManager before = managers.put(lane.port(), lane.settings().manager());
            changed |= before != null && !before.equals(lane.settings().manager());
        }
        if (changed) {
            pause(500);
        }
    }

    /** @return why the side refused it; empty when it is in force */
    private Optional<String> awaitInForce(Subject side, Batch batch) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(IN_FORCE_SECONDS);
        long repeatAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(REPEAT_SECONDS);
        for (Batch.Gate gate : batch.gates()) {
            while (!inForce(side, gate, batch)) {
                List<String> refusals = side.refusals();
                if (!refusals.isEmpty()) {
                    // Envoy quotes the whole resource.
                    return Optional.of(refusals.get(0).lines().findFirst().orElse(""));
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException(side.name() + " has neither accepted nor refused " + batch.mark() + " within "
                            + IN_FORCE_SECONDS + " s at " + gate + "; it answers "
                            + side.send(Request.get(Batch.PROBE, "/"), gate, "probe") + "\n" + end(envoy.log().lines().toList()) + end(jvm.log()));
                }
                if (System.nanoTime() - repeatAt > 0) {
                    side.repeat(batch);
                    repeatAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(REPEAT_SECONDS);
                }
                pause(5);
            }
        }
        return Optional.empty();
    }

    /** Of a log: Envoy writes down every resource that it refuses. */
    private static String end(List<String> lines) {
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 50), lines.size())) + "\n";
    }

    private boolean inForce(Subject side, Batch.Gate gate, Batch batch) {
        String tag = side.name() + "-probe-" + gate;
        Subject.Answer probe = side.send(Request.get(Batch.PROBE, "/"), gate, tag);
        if (!probe.body().equals(batch.mark())) {
            return false;
        }
        if (gate.way() != Case.Way.OUT) {
            return true;
        }
        Subject.Answer cluster = side.send(Request.get(Batch.CLUSTER_PROBE, "/"), gate, tag);
        upstreams.take(tag);
        return cluster.status() == 200;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<Verdict> compare(List<Case> cases, Batch batch) {
        List<Future<List<Outcome>>> ofEnvoy = new ArrayList<>();
        List<Future<List<Outcome>>> ofJvm = new ArrayList<>();
        for (Batch.Placed one : batch.placed()) {
            int number = ofEnvoy.size();
            ExecutorService pool = one.instance().conduct().pace() == Case.Pace.STEADY ? atOnce : executor;
            ofEnvoy.add(pool.submit(() -> outcomes(envoy, one, number)));
            ofJvm.add(pool.submit(() -> outcomes(jvm, one, number)));
        }
        List<Verdict> verdicts = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            Case sent = batch.placed().get(i).instance();
            Optional<Difference> difference = sent.judgement().difference(sent.requests(), get(ofEnvoy.get(i)), get(ofJvm.get(i)));
            verdicts.add(new Verdict(cases.get(i), difference, false));
        }
        upstreams.forget();
        return verdicts;
    }

    private List<Outcome> outcomes(Subject side, Batch.Placed placed, int number) {
        List<Request> requests = placed.instance().requests();
        Case.Pace pace = placed.instance().conduct().pace();
        long started = System.nanoTime();
        List<Future<Outcome>> underWay = new ArrayList<>();
        List<Outcome> outcomes = new ArrayList<>(requests.size());
        for (int i = 0; i < requests.size(); i++) {
            Request request = requests.get(i);
            String tag = side.name() + "-" + number + "-" + i;
            if (pace == Case.Pace.STAGGERED) {
                underWay.add(atOnce.submit(() -> outcome(side, request, placed.gate(), tag)));
                pause(STAGGER_MILLIS);
            } else {
                if (pace == Case.Pace.STEADY) {
                    pause(Math.max(0, i * STEADY_MILLIS - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started)));
                }
                outcomes.add(outcome(side, request, placed.gate(), tag));
            }
        }
        underWay.forEach(request -> outcomes.add(get(request)));
        return outcomes;
    }

    private Outcome outcome(Subject side, Request request, Batch.Gate gate, String tag) {
        long sent = System.nanoTime();
        Subject.Answer answer = side.send(request, gate, tag);
        Outcome outcome = Normalisation.outcome(answer, upstreams.take(tag), System.nanoTime() - sent);
        return request.writtenUnder().map(id -> outcome.written(accessLogs.take(id, tag))).orElse(outcome);
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new CompletionException(e.getCause());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            testbed.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
