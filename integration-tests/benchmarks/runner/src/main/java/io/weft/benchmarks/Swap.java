package io.weft.benchmarks;

import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The longest that a decision takes while the policy is replaced under it ten times a second: compiling runs beside the traffic, so
 * what is left is what the garbage of a policy costs, and the machine itself. That shows in the longest decision while nothing is
 * replaced, which is measured in turns with it: the value is how much longer the longest is.
 */
final class Swap implements Benchmark {
    private static final double BUDGET_MILLIS = 20;

    @Override
    public String name() {
        return "swap";
    }

    @Override
    public String summary() {
        return "how much longer the longest decision takes while a policy of 1,001 services and 20,000 endpoints, half in a Maglev table, is replaced ten times a second";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        List<Double> longest = new ArrayList<>();
        List<Double> quiet = new ArrayList<>();
        Map<String, Long> sums = new TreeMap<>();
        double longestSwap = 0;
        for (int round = 0; round < settings.rounds(5, 1); round++) {
            Map<String, String> answer = round(settings);
            longest.add(millis(answer.get("longest")));
            quiet.add(millis(answer.get("quietLongest")));
            for (String sum : List.of("decisions", "over1ms", "quietOver1ms", "swaps", "disturbed")) {
                sums.merge(sum, Long.parseLong(answer.get(sum)), Long::sum);
            }
            longestSwap = Math.max(longestSwap, millis(answer.get("longestSwap")));
        }
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("decisions", sums.get("decisions"));
        detail.put("swaps", sums.get("swaps"));
        detail.put("longestSwapMs", Distribution.round(longestSwap, 1));
        detail.put("over1ms", sums.get("over1ms"));
        detail.put("over1msWithoutSwaps", sums.get("quietOver1ms"));
        detail.put("secondsDisturbedAndRepeated", sums.get("disturbed"));
        detail.put("rounds", longest.size());
        detail.put("leastMs", Distribution.round(Distribution.of(longest).min(), 2));
        detail.put("mostMs", Distribution.round(Distribution.of(longest).max(), 2));
        detail.put("withoutSwapsMs", Distribution.round(Distribution.of(quiet).median(), 2));
        detail.put("mostWithoutSwapsMs", Distribution.round(Distribution.of(quiet).max(), 2));
        detail.put("withSwapsMs", Distribution.round(Distribution.of(longest).median(), 2));
        double added = Distribution.of(longest).median() - Distribution.of(quiet).median();
        figures.accept(new Figure(name(), Distribution.round(added, 2), "ms", BUDGET_MILLIS, detail));
    }

    private static Map<String, String> round(Settings settings) throws Exception {
        try (Testbed testbed = new Testbed()) {
            JvmProcess process = testbed.jvm("swap", settings.jdk())
                    .module(Settings.decisions())
                    .option("-Xmx512m")
                    .main("io.weft.benchmarks.decision.SwapPauses", Integer.toString(settings.times(10, 2)));
            Map<String, String> answer = process.nextAnswer();
            process.awaitExit(Duration.ofMinutes(1));
            return answer;
        }
    }

    private static double millis(String nanos) {
        return Long.parseLong(nanos) / 1e6;
    }
}
