package io.weft.it.comparison;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
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
    },

    /** As {@link #STATUS_COUNTS}, of the requests that come after one that took long; those before made the sides what they are by then. */
    AFTER_PAUSE {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            int after = afterPause(requests);
            return STATUS_COUNTS.difference(
                    requests.subList(after, requests.size()), envoy.subList(after, envoy.size()), jvm.subList(after, jvm.size()));
        }
    },

    /** Request by request, and whether each took long; nothing takes between half a second and a whole. */
    DELAYS {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            Optional<Difference> other = EXACT.difference(requests, envoy, jvm);
            for (int i = 0; i < requests.size() && other.isEmpty(); i++) {
                boolean theirs = envoy.get(i).tookNanos() > LONG_NANOS;
                boolean ours = jvm.get(i).tookNanos() > LONG_NANOS;
                if (theirs != ours) {
                    other = Optional.of(new Difference(
                            "delays", "request " + (i + 1) + ":\n" + requests.get(i) + "\n  took long\n  Envoy: " + theirs + "\n  JVM:   " + ours));
                }
            }
            return other;
        }
    },

    /** Request by request; where a cookie was made, neither its value nor the endpoint that its hash chooses. */
    MADE_COOKIES {
        private static final Pattern MADE = Pattern.compile("(set-cookie: [^=]+=\"?)[0-9a-f]{1,16}(\"?(;.*)?)");

        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            return EXACT.difference(requests, envoy.stream().map(this::withoutChance).toList(), jvm.stream().map(this::withoutChance).toList());
        }

        private Outcome withoutChance(Outcome outcome) {
            if (outcome.headers().stream().noneMatch(header -> MADE.matcher(header).matches())) {
                return outcome;
            }
            return outcome.with(
                    outcome.headers().stream().map(header -> MADE.matcher(header).replaceFirst("$1made$2")).toList(),
                    outcome.attempts().stream().map(attempt -> attempt.at("any")).toList(),
                    // The name of the endpoint, from those that have a body.
                    outcome.body().isEmpty() ? "" : "any");
        }
    },

    /**
     * Of the requests that come after one that took long, how many each endpoint is given: a schedule that goes by weights gives each
     * its share, whatever it begins with, but for {@value #UNEVEN} more or fewer.
     */
    SHARES_AFTER_PAUSE {
        private static final int UNEVEN = 3;

        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            Map<String, int[]> counts = new TreeMap<>();
            for (int i = afterPause(requests); i < requests.size(); i++) {
                counts.computeIfAbsent(endpoints(envoy.get(i)), absent -> new int[2])[0]++;
                counts.computeIfAbsent(endpoints(jvm.get(i)), absent -> new int[2])[1]++;
            }
            if (counts.values().stream().allMatch(count -> Math.abs(count[0] - count[1]) <= UNEVEN)) {
                return Optional.empty();
            }
            StringBuilder text = new StringBuilder("of " + (requests.size() - afterPause(requests)) + " requests\n" + requests.get(0));
            counts.forEach((endpoint, count) -> text.append("\n  ").append(endpoint).append(": Envoy ").append(count[0]).append(", JVM ").append(count[1]));
            return Optional.of(new Difference("shares", text.toString()));
        }

        private String endpoints(Outcome outcome) {
            return status(outcome) + " " + outcome.attempts().stream().map(Outcome.Attempt::endpoint).toList();
        }
    },

    /** Request by request, and whether the time before each further attempt was long; nobody waits between half a second and a whole. */
    PAUSES {
        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            Optional<Difference> other = EXACT.difference(requests, envoy, jvm);
            for (int i = 0; i < requests.size() && other.isEmpty(); i++) {
                List<Boolean> theirs = areLong(envoy.get(i));
                List<Boolean> ours = areLong(jvm.get(i));
                if (!theirs.equals(ours)) {
                    other = Optional.of(new Difference("pauses", "request " + (i + 1) + ":\n" + requests.get(i)
                            + "\n  whether each pause was long\n  Envoy: " + theirs + "\n  JVM:   " + ours));
                }
            }
            return other;
        }

        private List<Boolean> areLong(Outcome outcome) {
            List<Boolean> pauses = new ArrayList<>();
            for (int i = 1; i < outcome.attempts().size(); i++) {
                pauses.add(outcome.attempts().get(i).arrivedNanos() - outcome.attempts().get(i - 1).arrivedNanos() > LONG_NANOS);
            }
            return pauses;
        }
    },

    /**
     * Request by request, in whatever order the request and its copies arrive. To copies Envoy adds headers that say so to another
     * Envoy.
     */
    COPIES {
        private static final String COPY = "x-envoy-internal: true";

        @Override
        Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm) {
            return EXACT.difference(requests, envoy.stream().map(this::sorted).toList(), jvm.stream().map(this::sorted).toList());
        }

        private Outcome sorted(Outcome outcome) {
            List<Outcome.Attempt> attempts = outcome.attempts().stream()
                    .map(this::plain)
                    .sorted(Comparator.comparing(Outcome.Attempt::toString))
                    .toList();
            return outcome.with(outcome.headers(), attempts, outcome.body());
        }

        private Outcome.Attempt plain(Outcome.Attempt attempt) {
            List<String> headers = attempt.headers().contains(COPY)
                    ? attempt.headers().stream()
                            .filter(header -> !header.equals(COPY) && !header.startsWith("x-forwarded-for:"))
                            .toList()
                    : attempt.headers();
            return new Outcome.Attempt(attempt.endpoint(), attempt.line(), headers, attempt.body(), attempt.arrivedNanos());
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

    private static final long LONG_NANOS = 750_000_000;

    /** Below it, the test's approximation is poor. */
    private static final int LEAST_COUNT = 10;

    /** @return empty: none */
    abstract Optional<Difference> difference(List<Request> requests, List<Outcome> envoy, List<Outcome> jvm);

    /** @return the index of the first request behind the last that took long; 0: none did */
    private static int afterPause(List<Request> requests) {
        int after = 0;
        for (int i = 0; i < requests.size(); i++) {
            after = requests.get(i).script().startsWith("wait ") ? i + 1 : after;
        }
        return after;
    }

    /** An exception in the JVM is an answer that Envoy makes up. */
    private static String status(Outcome outcome) {
        return outcome.status() == 0 || outcome.body().startsWith("upstream connect error") ? "no response" : Integer.toString(outcome.status());
    }

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
