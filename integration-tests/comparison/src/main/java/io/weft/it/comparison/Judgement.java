package io.weft.it.comparison;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.commons.statistics.inference.ChiSquareTest;
import org.apache.commons.statistics.inference.KolmogorovSmirnovTest;

/** When the outcomes of the two sides are held to be the same. */
enum Judgement {

    /** Request by request, but for {@link KnownDifference}. */
    EXACT {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            for (int i = 0; i < requests.size(); i++) {
                Outcome theirs = envoy.get(i).timeless();
                Outcome ours = jvm.get(i).timeless();
                if (!theirs.equals(ours) && KnownDifference.of(theirs, ours).isEmpty()) {
                    return Optional.of(new Difference(
                            kind(theirs, ours),
                            "request " + (i + 1) + ":\n" + requests.get(i) + "\n  Envoy: " + indented(theirs) + "\n  JVM:   " + indented(ours)));
                }
            }
            return Optional.empty();
        }
    },

    /**
     * All requests are equal; what counts is how often each outcome occurs. Two samples of one distribution differ so much
     * with a probability below {@value #FALSE_ALARM}, so not even a million cases give a false alarm.
     */
    DISTRIBUTION {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            Map<Outcome, long[]> counts = new LinkedHashMap<>();
            envoy.forEach(outcome -> counts.computeIfAbsent(outcome.timeless(), absent -> new long[2])[0]++);
            jvm.forEach(outcome -> counts.computeIfAbsent(outcome.timeless(), absent -> new long[2])[1]++);
            double probability = probability(counts.values());
            if (probability >= FALSE_ALARM) {
                return Optional.empty();
            }
            StringBuilder text = new StringBuilder("of " + requests.size() + " requests\n" + requests.get(0));
            counts.forEach((outcome, count) ->
                    text.append("\n  Envoy ").append(count[0]).append(", JVM ").append(count[1]).append(": ").append(indented(outcome)));
            text.append("\n  probability of one distribution: ").append(probability);
            return Optional.of(new Difference("distribution", text.toString()));
        }
    },

    /**
     * All requests are equal, and it hangs on where a round robin begins which of them fails, but not how many; one more or less is
     * granted, since an ejection takes effect while the next request is under way.
     */
    STATUS_COUNTS {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            Map<String, int[]> counts = new TreeMap<>();
            envoy.forEach(outcome -> counts.computeIfAbsent(status(outcome), absent -> new int[2])[0]++);
            jvm.forEach(outcome -> counts.computeIfAbsent(status(outcome), absent -> new int[2])[1]++);
            if (counts.values().stream().allMatch(count -> Math.abs(count[0] - count[1]) <= 1)) {
                return Optional.empty();
            }
            StringBuilder text = new StringBuilder("of " + requests.size() + " requests\n" + requests.get(0));
            counts.forEach((status, count) -> text.append("\n  ").append(status).append(": Envoy ").append(count[0]).append(", JVM ").append(count[1]));
            return Optional.of(new Difference("number of each status", text.toString()));
        }

        private String status(Outcome outcome) {
            return outcome.status() == 0 || outcome.body().startsWith("upstream connect error") ? "no response" : Integer.toString(outcome.status());
        }
    },

    /** All requests are equal and tried several times; the pauses between the attempts must be drawn from one distribution. */
    SPACING {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            int most = Math.max(mostAttempts(envoy), mostAttempts(jvm));
            for (int attempt = 1; attempt < most; attempt++) {
                double[] theirs = pauses(envoy, attempt);
                double[] ours = pauses(jvm, attempt);
                double probability = theirs.length == 0 || ours.length == 0
                        ? 0
                        : KolmogorovSmirnovTest.withDefaults().test(theirs, ours).getPValue();
                if (probability < FALSE_ALARM) {
                    return Optional.of(new Difference("spacing", "of " + requests.size() + " requests\n" + requests.get(0)
                            + "\n  pauses before attempt " + (attempt + 1) + " in milliseconds, sorted\n  Envoy: " + Arrays.toString(theirs)
                            + "\n  JVM:   " + Arrays.toString(ours)));
                }
            }
            return Optional.empty();
        }

        private int mostAttempts(List<Outcome> outcomes) {
            return outcomes.stream().mapToInt(outcome -> outcome.attempts().size()).max().orElse(0);
        }

        /** Before the attempt of this index, in milliseconds. */
        private double[] pauses(List<Outcome> outcomes, int attempt) {
            return outcomes.stream()
                    .map(Outcome::attempts)
                    .filter(attempts -> attempts.size() > attempt)
                    .mapToDouble(attempts -> (attempts.get(attempt).arrivedNanos() - attempts.get(attempt - 1).arrivedNanos()) / 10_000 / 100.0)
                    .sorted()
                    .toArray();
        }
    };

    private static final double FALSE_ALARM = 1e-9;

    /** Below it, the test's approximation is poor. */
    private static final int LEAST_COUNT = 10;

    /** @return empty: none */
    abstract Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm);

    private static String kind(Outcome envoy, Outcome jvm) {
        return "status " + envoy.status() + " " + jvm.status()
                + (envoy.headers().equals(jvm.headers()) ? "" : ", headers")
                + (envoy.body().equals(jvm.body()) ? "" : ", body")
                + (envoy.attempts().equals(jvm.attempts()) ? "" : envoy.attempts().size() == jvm.attempts().size() ? ", attempts" : ", number of attempts");
    }

    private static double probability(Iterable<long[]> counts) {
        List<Long> first = new ArrayList<>();
        List<Long> second = new ArrayList<>();
        long[] rare = new long[2];
        for (long[] count : counts) {
            if (count[0] + count[1] < LEAST_COUNT) {
                rare[0] += count[0];
                rare[1] += count[1];
            } else {
                first.add(count[0]);
                second.add(count[1]);
            }
        }
        if (rare[0] + rare[1] > 0) {
            first.add(rare[0]);
            second.add(rare[1]);
        }
        if (first.size() < 2) {
            return 1;
        }
        return ChiSquareTest.withDefaults()
                .test(first.stream().mapToLong(Long::longValue).toArray(), second.stream().mapToLong(Long::longValue).toArray())
                .getPValue();
    }

    private static String indented(Outcome outcome) {
        return outcome.toString().replace("\n", "\n         ");
    }
}
