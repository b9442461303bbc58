package io.weft.benchmarks.decision;

import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.ResponseHeaders;
import io.weft.driver.Form;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.VirtualHost;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * The longest that a request waits for its decision while nothing happens, and while the policy of 1,000 services with 10,000
 * endpoints, and of one more that has 10,000 in a Maglev table, is replaced ten times a second. One thread decides without a pause; another
 * builds and swaps.
 *
 * <p>The two take turns, second by second, so that what the machine does meanwhile meets both. A second in which other processes, or the
 * machine that this one is a guest of, took the processors is measured once more. Argument: seconds for each of the two. Prints a form:
 * times in nanoseconds.
 */
public final class SwapPauses {
    private static final ResponseHeaders NO_HEADERS = name -> null;
    private static final String BIG = "big";
    private static final long INTERVAL_NANOS = 100_000_000;
    private static final long SECOND_NANOS = 1_000_000_000;
    private static final int WARM_UP_SECONDS = 5;

    private final ChangingMesh mesh = new ChangingMesh(1_000, 10, List.of(RoundRobin.DEFAULT));
    private final DataPlane dataPlane = Parts.dataPlane();
    private final String[] users = IntStream.range(0, 1_000).mapToObj("user-%d"::formatted).toArray(String[]::new);
    private long decisions;
    private long generation;
    private long longestSwap;

    private SwapPauses() {}

    public static void main(String[] args) throws InterruptedException {
        int seconds = Integer.parseInt(args[0]);
        SwapPauses pauses = new SwapPauses();
        pauses.swap();
        pauses.decide(WARM_UP_SECONDS * SECOND_NANOS);
        pauses.decideWhileSwapping(WARM_UP_SECONDS * SECOND_NANOS);
        pauses.longestSwap = 0;
        long swapsBefore = pauses.generation;

        Pauses quiet = Pauses.NONE;
        Pauses swapped = Pauses.NONE;
        int disturbed = 0;
        for (int done = 0; done < seconds; done++) {
            Processors before = Processors.now();
            Pauses quietSecond = pauses.decide(SECOND_NANOS);
            Pauses swappedSecond = pauses.decideWhileSwapping(SECOND_NANOS);
            // Of a machine that is never undisturbed the figure is as good as it can be.
            if (Processors.now().disturbedSince(before) && 2 * disturbed < seconds) {
                disturbed++;
                done--;
            } else {
                quiet = quiet.and(quietSecond);
                swapped = swapped.and(swappedSecond);
            }
        }

        System.out.println(Form.write(Map.of(
                "quietLongest", Long.toString(quiet.longest),
                "longest", Long.toString(swapped.longest),
                "over1ms", Long.toString(swapped.overOneMilli),
                "quietOver1ms", Long.toString(quiet.overOneMilli),
                "decisions", Long.toString(swapped.decisions),
                "disturbed", Integer.toString(disturbed),
                "swaps", Long.toString(pauses.generation - swapsBefore),
                "longestSwap", Long.toString(pauses.longestSwap))));
        System.exit(0);
    }

    private record Pauses(long decisions, long longest, long overOneMilli) {
        static final Pauses NONE = new Pauses(0, 0, 0);

        Pauses and(Pauses other) {
            return new Pauses(
                    decisions + other.decisions, Math.max(longest, other.longest), overOneMilli + other.overOneMilli);
        }
    }

    /** @return once the last swap is over, too, which nobody measures any longer */
    private Pauses decideWhileSwapping(long nanos) throws InterruptedException {
        Thread swapping = new Thread(this::swapUntilInterrupted, "swapping");
        swapping.start();
        Pauses pauses = decide(nanos);
        swapping.interrupt();
        swapping.join();
        return pauses;
    }

    private Pauses decide(long nanos) {
        long end = System.nanoTime() + nanos;
        long longest = 0;
        long overOneMilli = 0;
        long first = decisions;
        for (long before = System.nanoTime(); before - end < 0; decisions++) {
            String authority = decisions % 10 == 0 ? BIG : mesh.authority((int) (decisions % mesh.services()));
            Request request = new Request(authority, users[(int) (decisions % users.length)]);
            if (!dataPlane.claims(request) || request.next() != Exchange.Step.DIAL) {
                throw new IllegalStateException("no endpoint for " + request.authority());
            }
            request.onResponse(200, NO_HEADERS);
            request.end();
            long after = System.nanoTime();
            longest = Math.max(longest, after - before);
            overOneMilli += after - before > 1_000_000 ? 1 : 0;
            before = after;
        }
        return new Pauses(decisions - first, longest, overOneMilli);
    }

    private void swap() {
        PolicySnapshot snapshot = withBigService(mesh.snapshot(++generation));
        long before = System.nanoTime();
        dataPlane.apply(snapshot);
        longestSwap = Math.max(longestSwap, System.nanoTime() - before);
    }

    private static PolicySnapshot withBigService(PolicySnapshot snapshot) {
        // Another endpoint each time: a table is built for it.
        List<HostPort> addresses = IntStream.range(0, 10_000)
                .mapToObj(i -> new HostPort("11.0." + i / 250 + "." + i % 250, i == 0 ? (int) (snapshot.generation() % 60_000) + 1 : 8080))
                .toList();
        HashPolicy byUser = new HashPolicy.Header(Request.USER, Optional.empty(), false);
        Map<String, Cluster> clusters = new HashMap<>(snapshot.clusters());
        clusters.put(BIG, Parts.cluster(BIG, Maglev.DEFAULT, Optional.empty()));
        Map<String, EndpointAssignment> assignments = new HashMap<>(snapshot.assignments());
        assignments.put(BIG, Parts.assignment(BIG, addresses));
        List<VirtualHost> hosts = new ArrayList<>();
        snapshot.routeConfigurations().values().forEach(routes -> hosts.addAll(routes.virtualHosts()));
        hosts.add(Parts.virtualHost(BIG, Parts.route(List.of(), List.of(byUser), Parts.share(BIG, 1))));
        return Parts.snapshot(snapshot.generation(), hosts, clusters, assignments);
    }

    private void swapUntilInterrupted() {
        while (!Thread.currentThread().isInterrupted()) {
            long before = System.nanoTime();
            swap();
            LockSupport.parkNanos(INTERVAL_NANOS - (System.nanoTime() - before));
        }
    }
}
