package io.weft.controlplane.rollout;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * One version of a service takes over from another, step by step, for as long as it does well enough; else all requests go to the old
 * version again. What cannot be watched counts as not doing well: without figures nobody would notice.
 *
 * <p>For one thread, which runs until it is over; {@link #cancel} may be called from another.
 */
public final class Rollout {

    private static final Duration LOOK = Duration.ofSeconds(1);
    /** Reports come every five seconds; three that are missing are no accident. */
    private static final Duration BLIND = Duration.ofSeconds(20);

    /**
     * @param from the version that has the requests now
     * @param steps shares of the other version in percent, each from 1 to 100
     * @param hold how long each step has to do well
     */
    public record Plan(String mesh, String service, String from, String to, List<Integer> steps, Duration hold, Limits limits) {
        public Plan {
            steps = List.copyOf(steps);
        }
    }

    /**
     * What doing well is.
     *
     * @param maxErrorRate from 0 to 1; absent: whatever it is
     * @param maxP99Millis absent: whatever it is
     * @param minRequests before any of it is judged, in each step
     * @param patience how long after the end of a step these may take to come
     */
    public record Limits(OptionalDouble maxErrorRate, OptionalDouble maxP99Millis, long minRequests, Duration patience) {}

    /**
     * What the new version has got since a time.
     *
     * @param errors 5xx, no answer, not sent at all, or refused by the mesh
     * @param refused of the errors those that a permission or a rate limit of the mesh has refused
     * @param p99Millis empty: nobody reports latencies
     */
    public record Observed(long requests, long errors, long refused, OptionalDouble p99Millis) {
        double errorRate() {
            return requests == 0 ? 0 : (double) errors / requests;
        }
    }

    /** Who knows how it goes. */
    public interface Watch {

        /** A moment, for {@link #since}; in milliseconds, on a clock of its own. */
        long now() throws IOException;

        /** @param moment when the requests began that count */
        Observed since(String mesh, String service, String version, long moment) throws IOException;

        /** Why the policy that was written is not obeyed, if it is not. */
        Optional<String> refusal(String mesh, String service) throws IOException;
    }

    /** Time, for tests. */
    public interface Clock {

        /** As {@link System#nanoTime()}. */
        long nanoTime();

        void sleep(Duration time) throws InterruptedException;
    }

    /**
     * Something that was done, and why.
     *
     * @param kind {@code started}, {@code step}, {@code held}, {@code waiting}, {@code rolled-back}, {@code stuck},
     *     {@code done}
     * @param weights that are in force from now on, by version
     * @param observed of the step so far; null: nothing yet
     */
    public record Event(String kind, Map<String, Long> weights, Observed observed, String reason) {}

    public enum Outcome {
        /** The new version has all requests. */
        DONE,
        /** The old one has. */
        ROLLED_BACK,
        /** Going back was needed, and failed: the policies are as the last event says. */
        STUCK
    }

    private final Plan plan;
    private final RouteStore routes;
    private final Watch watch;
    private final Clock clock;
    private final Consumer<Event> events;
    private Map<String, Long> weights = Map.of();
    private volatile String cancelled;

    public Rollout(Plan plan, RouteStore routes, Watch watch, Clock clock, Consumer<Event> events) {
        this.plan = plan;
        this.routes = routes;
        this.watch = watch;
        this.clock = clock;
        this.events = events;
    }

    /** Has it go back as soon as it looks again, within about a second. */
    public void cancel(String reason) {
        cancelled = reason;
    }

    /** @throws RolloutException nothing has been done, as the policies do not allow it */
    public Outcome run() throws IOException, RolloutException, InterruptedException {
        check();
        tell("started", null, plan.to() + " is to take over from " + plan.from() + " in steps of "
                + String.join(", ", plan.steps().stream().map(step -> step + " %").toList()) + ", " + plan.hold().toMillis() / 1000.0
                + " s each");
        for (int step : plan.steps()) {
            Optional<String> failure;
            Observed[] seen = new Observed[1];
            try {
                write(step);
                failure = hold(seen);
            } catch (RolloutException | IOException e) {
                failure = Optional.of("the policy cannot be written: " + e.getMessage());
            }
            if (failure.isPresent()) {
                return goBack(seen[0], failure.get());
            }
        }
        tell("done", null, plan.to() + " has taken over");
        return Outcome.DONE;
    }

    private void check() throws IOException, RolloutException {
        Optional<Split> split = routes.split(plan.mesh(), plan.service());
        if (split.isPresent()) {
            weights = split.get().weights();
            for (String version : weights.keySet()) {
                if (!version.equals(plan.from()) && !version.equals(plan.to()) && weights.get(version) > 0) {
                    throw new RolloutException("policy " + split.get().policy() + " sends requests to version " + version
                            + ", too; end that first");
                }
            }
        }
        // Whoever cannot be asked now could not tell that something goes wrong later.
        watch.now();
    }

    private void write(int share) throws IOException, RolloutException {
        Map<String, Long> next = new LinkedHashMap<>();
        next.put(plan.from(), 100L - share);
        next.put(plan.to(), (long) share);
        routes.share(plan.mesh(), plan.service(), next);
        weights = next;
        tell("step", null, plan.to() + " gets " + share + " %");
    }

    /** @return why it has to end; empty: it did well */
    private Optional<String> hold(Observed[] seen) throws InterruptedException {
        long began = clock.nanoTime();
        long lastSight = began;
        Long moment = null;
        boolean waiting = false;
        while (true) {
            if (cancelled != null) {
                return Optional.of(cancelled);
            }
            long now = clock.nanoTime();
            try {
                if (moment == null) {
                    moment = watch.now();
                }
                Optional<String> refusal = watch.refusal(plan.mesh(), plan.service());
                if (refusal.isPresent()) {
                    return refusal;
                }
                seen[0] = watch.since(plan.mesh(), plan.service(), plan.to(), moment);
                lastSight = now;
            } catch (IOException e) {
                if (now - lastSight >= BLIND.toNanos()) {
                    return Optional.of("nothing is known of it for " + BLIND.toSeconds() + " s: " + e.getMessage());
                }
            }
            boolean enough = seen[0] != null && seen[0].requests() >= plan.limits().minRequests();
            if (enough) {
                Optional<String> failure = judge(seen[0]);
                if (failure.isPresent()) {
                    return failure;
                }
            }
            long held = now - began;
            if (held >= plan.hold().toNanos()) {
                if (enough && lastSight == now) {
                    tell("held", seen[0], "within its limits");
                    return Optional.empty();
                }
                if (held >= plan.hold().plus(plan.limits().patience()).toNanos()) {
                    return Optional.of((seen[0] == null ? 0 : seen[0].requests()) + " requests are too few to judge it by; "
                            + plan.limits().minRequests() + " are needed");
                }
                if (!waiting) {
                    waiting = true;
                    tell("waiting", seen[0], "too few requests to judge it by: " + plan.limits().minRequests() + " are needed");
                }
            }
            clock.sleep(LOOK);
        }
    }

    private Optional<String> judge(Observed observed) {
        OptionalDouble most = plan.limits().maxErrorRate();
        if (most.isPresent() && observed.errorRate() > most.getAsDouble()) {
            return Optional.of(String.format(Locale.ROOT, "%.2f %% of %d requests failed%s, more than %s %%",
                    100 * observed.errorRate(), observed.requests(),
                    observed.refused() == 0 ? "" : ", " + observed.refused() + " of them refused by a permission or a rate limit of the mesh",
                    plain(100 * most.getAsDouble())));
        }
        OptionalDouble slowest = plan.limits().maxP99Millis();
        if (slowest.isEmpty()) {
            return Optional.empty();
        }
        if (observed.p99Millis().isEmpty()) {
            return Optional.of("its callers report no latencies, and there is a limit for them");
        }
        return observed.p99Millis().getAsDouble() > slowest.getAsDouble()
                ? Optional.of(String.format(Locale.ROOT, "p99 is %.0f ms, more than %s ms",
                        observed.p99Millis().getAsDouble(), plain(slowest.getAsDouble())))
                : Optional.empty();
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    private Outcome goBack(Observed seen, String reason) throws InterruptedException {
        Map<String, Long> back = new LinkedHashMap<>();
        back.put(plan.from(), 100L);
        back.put(plan.to(), 0L);
        String failure = "";
        // Whoever changes the same file at this moment is done at the next.
        for (int attempt = 0; attempt < 3; attempt++) {
            try {
                routes.share(plan.mesh(), plan.service(), back);
                weights = back;
                tell("rolled-back", seen, reason);
                return Outcome.ROLLED_BACK;
            } catch (IOException | RolloutException e) {
                failure = e.getMessage();
                clock.sleep(LOOK);
            }
        }
        tell("stuck", seen, reason + "; and going back failed: " + failure);
        return Outcome.STUCK;
    }

    private void tell(String kind, Observed observed, String reason) {
        events.accept(new Event(kind, weights, observed, reason));
    }
}
