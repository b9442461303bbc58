package io.weft.benchmarks;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Requests through an app under the real jar, over policies that change all the time: as many as {@code --requests} says. None may go
 * where no policy sends it, none may be lost, what the upstreams have received must be what the app has sent, and the heap after a
 * collection must be in the end what it was after a quarter. The value is how many of these did not hold.
 */
final class AgentSoak implements Benchmark {
    private static final Pattern HEAP_USED = Pattern.compile("heap .*used (\\d+)K");
    private static final int REQUESTS_OF_A_POLICY = 5_000;

    @Override
    public String name() {
        return "soak-agent";
    }

    @Override
    public String summary() {
        return "requests over changing policies through the real jar: wrong endpoints, lost requests, counters, leaks";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        figures.accept(agent(settings, System.nanoTime()));
    }

    private Figure agent(Settings settings, long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        try (Testbed testbed = new Testbed()) {
            List<Upstream> upstreams = Stream.of("a", "b", "c").map(testbed::upstream).toList();
            PolicyServer policies = testbed.policyServer();
            Map<String, Integer> shares = shares(random);
            policies.serve(policy(upstreams, shares));
            JvmProcess client = testbed.jvm("client", settings.jdk()).option("-Xmx128m").mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
            int requests = settings.times(REQUESTS_OF_A_POLICY, 1_000);
            int rounds = (int) Math.max(4, settings.requests(200_000, 4_000) / requests);
            long good = 0;
            long received = 0;
            long wrong = 0;
            long heapBefore = 0;
            for (int round = 0; round < rounds; round++) {
                Map<String, Integer> before = shares;
                shares = shares(random);
                policies.serve(policy(upstreams, shares));
                Tally tally = client.load("http://orders/", Map.of(), requests, 4);
                good += tally.status(200);
                for (Upstream upstream : upstreams) {
                    received += upstream.requests().size();
                    upstream.forgetRequests();
                }
                for (String name : List.of("a", "b", "c")) {
                    if (before.getOrDefault(name, 0) == 0 && shares.getOrDefault(name, 0) == 0) {
                        wrong += tally.body(name);
                    }
                }
                if (round == rounds / 4) {
                    heapBefore = liveHeap(testbed, settings, client);
                }
            }
            long heapAfter = liveHeap(testbed, settings, client);
            long lost = (long) rounds * requests - good;
            long off = wrong + lost + Math.abs(received - good) + (Soak.leaked(heapBefore, heapAfter) > Soak.HEAP_TOLERANCE_BYTES ? 1 : 0);
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("requests", (long) rounds * requests);
            detail.put("policies", rounds + 1);
            detail.put("wrong", wrong);
            detail.put("lost", lost);
            detail.put("receivedByUpstreams", received);
            detail.put("heapBefore", heapBefore);
            detail.put("heapAfter", heapAfter);
            detail.put("seed", seed);
            return new Figure(name(), off, "violations", 0, detail);
        }
    }

    /** What each of them gets, one at least something. */
    private static Map<String, Integer> shares(SplittableRandom random) {
        Map<String, Integer> shares = new TreeMap<>();
        for (String name : List.of("a", "b", "c")) {
            if (random.nextBoolean()) {
                shares.put(name, random.nextInt(1, 100));
            }
        }
        if (shares.isEmpty()) {
            shares.put("a", 1);
        }
        return shares;
    }

    private static Policy policy(List<Upstream> upstreams, Map<String, Integer> shares) {
        Policy policy = Policy.empty();
        for (int i = 0; i < upstreams.size(); i++) {
            policy = policy.cluster(List.of("a", "b", "c").get(i), upstreams.get(i).address());
        }
        return policy.virtualHost("orders", Routes.split(shares));
    }

    private static long liveHeap(Testbed testbed, Settings settings, JvmProcess client) {
        String pid = Long.toString(client.pid());
        // Cleaners and references need more than one collection.
        for (int i = 0; i < 3; i++) {
            testbed.jvm("jcmd", settings.jdk()).tool("jcmd", pid, "GC.run").awaitExit();
        }
        JvmProcess jcmd = testbed.jvm("jcmd", settings.jdk()).tool("jcmd", pid, "GC.heap_info");
        jcmd.awaitExit();
        Matcher used = HEAP_USED.matcher(String.join("\n", jcmd.stdout()));
        if (!used.find()) {
            throw new IllegalStateException("no heap in " + jcmd.report());
        }
        return Long.parseLong(used.group(1)) * 1024;
    }
}
