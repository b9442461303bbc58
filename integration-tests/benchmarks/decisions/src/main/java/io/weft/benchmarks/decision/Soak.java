package io.weft.benchmarks.decision;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.Faults;
import io.weft.dataplane.ResponseHeaders;
import io.weft.dataplane.Self;
import io.weft.dataplane.Surroundings;
import io.weft.dataplane.TimerThread;
import io.weft.driver.Form;
import io.weft.policy.model.LoadBalancing.LeastRequest;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.Random;
import io.weft.policy.model.LoadBalancing.RingHash;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Requests over policies that change all the time, most of them answered, some failing in each way there is. Every endpoint that
 * is chosen must be one of the service in a policy that was in force while the request was; in the end nothing may be under way,
 * the counters must say what happened, and the heap must be what it was. Arguments: how many requests there are at least, a seed, and how many policies at least. Prints a form.
 */
public final class Soak {
    private static final int THREADS = 2;
    private static final int SERVICES = 200;
    private static final long POLICY_INTERVAL_NANOS = 20_000_000;
    /** Longer than any endpoint that has gone. */
    private static final long REMEMBERED_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final long SETTLING_REQUESTS = 100_000;
    private static final ResponseHeaders NO_HEADERS = name -> null;

    private final ChangingMesh mesh = new ChangingMesh(
            SERVICES, 10, List.of(RoundRobin.DEFAULT, RingHash.DEFAULT, LeastRequest.of(2, 1.0), Maglev.DEFAULT, Random.DEFAULT));
    private final String[] users = IntStream.range(0, 1_000).mapToObj("user-%d"::formatted).toArray(String[]::new);
    private final LongAdder faults = new LongAdder();
    /** What the data plane's clock is ahead of the system's. */
    private final AtomicLong aheadNanos = new AtomicLong();
    private final DataPlane dataPlane = dataPlane();
    private final Tally total = new Tally();

    /** What one thread has seen. */
    private static final class Tally {
        long requests;
        long good;
        long bad;
        long cancelled;
        long retries;
        long refused;
        long wrong;
        String firstWrong = "";

        void add(Tally other) {
            requests += other.requests;
            good += other.good;
            bad += other.bad;
            cancelled += other.cancelled;
            retries += other.retries;
            refused += other.refused;
            wrong += other.wrong;
            firstWrong = firstWrong.isEmpty() ? other.firstWrong : firstWrong;
        }
    }

    private Soak() {}

    private DataPlane dataPlane() {
        Faults counted = (where, fault) -> faults.increment();
        Surroundings system = Surroundings.ofSystem(new TimerThread(counted), counted, Self.UNKNOWN);
        return new DataPlane(Duration.ZERO, new Surroundings(
                () -> System.nanoTime() + aheadNanos.get(), system.time(), system.randomness(), system.timers(), counted, system.self()));
    }

    public static void main(String[] args) throws InterruptedException {
        System.out.println(Form.write(new Soak().run(Long.parseLong(args[0]), Long.parseLong(args[1]), Long.parseLong(args[2]))));
        System.exit(0);
    }

    private Map<String, String> run(long requests, long seed, long policiesAtLeast) throws InterruptedException {
        dataPlane.apply(mesh.snapshot(1));
        long began = System.nanoTime();
        Thread policies = new Thread(this::changePolicies, "policies");
        policies.start();
        // The first part fills what is filled once: each kind of balancer has had its turn with each service.
        part(requests / 10, seed, policiesAtLeast / 10);
        long heapBefore = settledHeap(seed + 1);
        part(requests - requests / 10, seed + 2, policiesAtLeast);
        long heapAfter = settledHeap(seed + 3);
        policies.interrupt();
        policies.join();

        Map<String, String> form = new TreeMap<>();
        form.put("requests", Long.toString(total.requests));
        form.put("seconds", Long.toString(Duration.ofNanos(System.nanoTime() - began).toSeconds()));
        form.put("policies", Long.toString(dataPlane.generation()));
        form.put("retries", Long.toString(total.retries));
        form.put("refused", Long.toString(total.refused));
        form.put("wrong", Long.toString(total.wrong));
        form.put("firstWrong", total.firstWrong);
        form.put("faults", Long.toString(faults.sum()));
        form.put("counters", counters());
        form.put("heapBefore", Long.toString(heapBefore));
        form.put("heapAfter", Long.toString(heapAfter));
        return form;
    }

    /** @param policies that have come by its end, whatever the number of requests: where processors are few the two hold each other up */
    private void part(long requests, long seed, long policies) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            SplittableRandom random = new SplittableRandom(seed * THREADS + i);
            Thread thread = new Thread(() -> {
                Tally tally = new Tally();
                for (long n = requests / THREADS; n > 0 || dataPlane.generation() < policies; n--) {
                    request(random, tally);
                }
                synchronized (total) {
                    total.add(tally);
                }
            }, "requests-" + i);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void request(SplittableRandom random, Tally tally) {
        int service = random.nextInt(SERVICES);
        tally.requests++;
        Request request = new Request(mesh.authority(service), users[random.nextInt(users.length)]);
        long from = dataPlane.generation();
        boolean claimed = dataPlane.claims(request);
        long to = dataPlane.generation();
        if (!claimed) {
            wrong(tally, "not claimed: " + request.authority());
            return;
        }
        boolean again;
        int attempt = 0;
        do {
            if (request.next() != Exchange.Step.DIAL) {
                tally.refused++;
                break;
            }
            tally.retries += attempt++ > 0 ? 1 : 0;
            Endpoint endpoint = request.endpoint();
            if (!mesh.has(service, endpoint.address(), from, to)) {
                wrong(tally, request.authority() + " of policy " + from + " to " + to + " was sent to " + endpoint);
            }
            again = outcome(random.nextInt(1000), request, tally);
        } while (again);
        request.end();
    }

    private static boolean outcome(int draw, Exchange request, Tally tally) {
        if (draw < 10) {
            tally.bad++;
            return request.onFailure(Exchange.Failure.CONNECT);
        }
        if (draw < 15) {
            tally.bad++;
            return request.onFailure(Exchange.Failure.RESET);
        }
        if (draw < 25) {
            tally.bad++;
            return request.onResponse(503, NO_HEADERS);
        }
        if (draw < 30) {
            tally.cancelled++;
            return request.onFailure(Exchange.Failure.CANCELLED);
        }
        tally.good++;
        return request.onResponse(draw < 50 ? 404 : 200, NO_HEADERS);
    }

    private static void wrong(Tally tally, String what) {
        tally.wrong++;
        tally.firstWrong = tally.firstWrong.isEmpty() ? what : tally.firstWrong;
    }

    /**
     * Under a policy with always the same balancer, whose tables are made when somebody asks for them, and when endpoints that have
     * gone are remembered no longer.
     */
    private long settledHeap(long seed) throws InterruptedException {
        synchronized (mesh) {
            while (dataPlane.generation() % mesh.balancers().size() != 0) {
                mesh.wait();
            }
            part(SETTLING_REQUESTS, seed, 0);
            aheadNanos.addAndGet(REMEMBERED_NANOS);
            // Who asks for them has what is over taken out.
            dataPlane.stats();
            return liveHeap();
        }
    }

    private void changePolicies() {
        for (long generation = 2; !Thread.currentThread().isInterrupted(); generation++) {
            synchronized (mesh) {
                dataPlane.apply(mesh.snapshot(generation));
                mesh.notifyAll();
            }
            LockSupport.parkNanos(POLICY_INTERVAL_NANOS);
        }
    }

    /** Empty when all of them add up. */
    private String counters() {
        long active = 0;
        long retrying = 0;
        long good = 0;
        long bad = 0;
        long retries = 0;
        long refused = 0;
        for (ClusterStats cluster : dataPlane.stats()) {
            active += cluster.active();
            retrying += cluster.activeRetries();
            good += cluster.successes();
            bad += cluster.failures();
            retries += cluster.retries();
            refused += cluster.overflows() + cluster.withoutEndpoint();
            for (EndpointStats endpoint : cluster.endpoints()) {
                active += endpoint.active();
            }
        }
        List<String> off = new ArrayList<>();
        differ(off, "under way", active, 0);
        differ(off, "retries under way", retrying, 0);
        differ(off, "successes", good, total.good);
        differ(off, "failures", bad, total.bad);
        differ(off, "retries", retries, total.retries);
        differ(off, "refused", refused, total.refused);
        return String.join(", ", off);
    }

    private static void differ(List<String> off, String what, long counter, long seen) {
        if (counter != seen) {
            off.add(what + " " + counter + ", not " + seen);
        }
    }

    private static long liveHeap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(least, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
