package io.weft.controlplane.cli;

import io.weft.controlplane.kubernetes.ClusterRoutes;
import io.weft.controlplane.policy.Spelling;
import io.weft.controlplane.rollout.FolderRoutes;
import io.weft.controlplane.rollout.PageWatch;
import io.weft.controlplane.rollout.Rollout;
import io.weft.controlplane.rollout.Rollout.Event;
import io.weft.controlplane.rollout.Rollout.Limits;
import io.weft.controlplane.rollout.Rollout.Observed;
import io.weft.controlplane.rollout.Rollout.Outcome;
import io.weft.controlplane.rollout.Rollout.Plan;
import io.weft.controlplane.rollout.RolloutException;
import io.weft.controlplane.rollout.RouteStore;
import io.weft.controlplane.rollout.Split;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "canary",
        description = {
            "Has one version of a service take over from another, step by step, and goes back by itself when it does not do well.",
            "",
            "Versions are the values of the tag 'version' (WEFT_TAGS=version=v2), in a cluster those of the pods' label. The weights are"
                    + " written into the policy that shares the service's requests, where they stand: comments and layout stay. Where there is"
                    + " no such policy, SERVICE-canary is made. How the new version does is asked at the control plane's page. When the limits are exceeded, when nothing is"
                    + " known of it any more, when the policy is refused, or on Ctrl-C, all requests go to the old version again.",
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "[COMMAND]",
        subcommands = {CanaryCommand.BlueGreen.class, CanaryCommand.ByHeader.class},
        footer = {
            "",
            "Examples:",
            "  weft canary orders --policies ./policies --to v2 --steps 5,25,50,100 --hold 60s --max-error-rate 1%% --max-p99 250ms",
            "  weft canary shop/orders --kubernetes --to v2 --page http://127.0.0.1:5679/",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the new version has taken over",
            "1:nothing was done; the reason is on stderr",
            "2:wrong usage",
            "3:it was rolled back",
            "4:it should have been rolled back, and that failed",
        })
final class CanaryCommand implements Callable<Integer> {

    private static final int ROLLED_BACK = 3;
    private static final int STUCK = 4;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SERVICE", arity = "0..1", description = "The service as callers name it.")
    private String service;

    @Option(names = "--steps", paramLabel = "PERCENT", split = ",", defaultValue = "5,25,50,100",
            description = "Shares of the new version. Default: ${DEFAULT-VALUE}.")
    private List<Integer> steps;

    @Mixin
    private Where where;

    @Mixin
    private Judgement judgement;

    /** Which policies, and who watches. */
    static final class Where {

        @Option(names = "--policies", paramLabel = "DIR", description = "The control plane's policy folder. Required, or --kubernetes.")
        private Path policies;

        @Option(names = "--kubernetes",
                description = "Instead of a folder the cluster's MeshHTTPRoutes. SERVICE is NAMESPACE/NAME, and its policy lies in that namespace.")
        private boolean kubernetes;

        @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the cluster. Default: as KUBECONFIG says.")
        private Path kubeconfig;

        @Option(names = "--page", paramLabel = "URL", converter = PageUrl.class, defaultValue = "http://127.0.0.1:5679/",
                description = "The control plane's page. Default: ${DEFAULT-VALUE}.")
        private URI page;

        @Option(names = "--mesh", paramLabel = "NAME", defaultValue = "default", description = "Default: ${DEFAULT-VALUE}.")
        private String mesh;

        @Option(names = "--to", paramLabel = "VERSION", description = "The version that is to get the requests. Required.")
        private String to;

        @Option(names = "--from", paramLabel = "VERSION",
                description = "The version that has them. Default: the only other one that there is.")
        private String from;

        @Option(names = "--json", description = "Print what is done as lines of JSON.")
        private boolean json;

        RouteStore routes(CommandSpec spec) throws IOException {
            if ((policies == null) != kubernetes) {
                throw new ParameterException(spec.commandLine(), "one of the options --policies=DIR and --kubernetes is needed");
            }
            if (kubernetes) {
                return new ClusterRoutes(Optional.ofNullable(kubeconfig));
            }
            if (!Files.isDirectory(policies)) {
                throw new IOException("--policies " + policies + " is not a folder");
            }
            return new FolderRoutes(policies);
        }

        PageWatch watch() {
            String text = page.toString();
            return new PageWatch(text.endsWith("/") ? page : URI.create(text + "/"));
        }

        /** The other one. That one may have no instance left: it is why all requests are to leave it. */
        String from(String service, RouteStore routes, PageWatch watch) throws IOException, RolloutException {
            List<String> versions = watch.versions(mesh, service);
            requireInstanceOf(to, service, versions, watch);
            if (from != null) {
                return from;
            }
            Optional<Split> split = routes.split(mesh, service);
            List<String> others = new ArrayList<>(split.map(known -> known.weights().keySet().stream()
                    .filter(version -> known.weights().get(version) > 0).toList()).orElse(List.of()));
            others.remove(to);
            if (others.isEmpty()) {
                others.addAll(versions);
                others.remove(to);
            }
            if (others.size() != 1) {
                throw new RolloutException(others.isEmpty()
                        ? "there is no version of " + service + " but " + to + ", so that it has all requests already"
                        : "which version of " + service + " has the requests now? Name it with --from: " + String.join(", ", others));
            }
            return others.get(0);
        }

        private void requireInstanceOf(String version, String service, List<String> versions, PageWatch watch)
                throws IOException, RolloutException {
            if (versions.contains(version)) {
                return;
            }
            if (!versions.isEmpty()) {
                throw new RolloutException("--to " + version + ": no instance of " + service + " in mesh " + mesh
                        + " has that version; there " + (versions.size() == 1 ? "is " : "are ") + String.join(", ", versions)
                        // Another number is another version and no slip.
                        + Spelling.suggestion(version, versions.stream().filter(each -> digits(each).equals(digits(version))).toList()));
            }
            List<String> services = watch.services(mesh);
            throw new RolloutException(services.contains(service)
                    ? "no instance of " + service + " in mesh " + mesh + " is connected that says its version (WEFT_TAGS=version=" + version
                            + "); weft status --all lists who is"
                    : "no instance of " + service + " in mesh " + mesh + " is connected; weft status --all lists who is"
                            + Spelling.suggestion(service, services));
        }

        private static String digits(String text) {
            return text.replaceAll("\\D", "");
        }

        void require(CommandSpec spec, String service) {
            if (service == null) {
                throw new ParameterException(spec.commandLine(), "Missing required parameter: 'SERVICE'");
            }
            if (to == null) {
                throw new ParameterException(spec.commandLine(), "Missing required option: '--to=VERSION'");
            }
        }
    }

    /** What doing well is. */
    static final class Judgement {

        @Option(names = "--hold", paramLabel = "TIME", defaultValue = "60s",
                description = "How long each step has to do well. Default: ${DEFAULT-VALUE}.")
        private Duration hold;

        @Option(names = "--max-error-rate", paramLabel = "PERCENT",
                description = "As 1%%: more failed requests (5xx, no answer, not sent, refused by a permission or"
                        + " a rate limit of the mesh), and it goes back. What the app itself refuses or calls a mistake (4xx) does not count.")
        private Percent maxErrorRate;

        @Option(names = "--max-p99", paramLabel = "TIME", description = "As 250ms: a slower p99, and it goes back.")
        private Duration maxP99;

        @Option(names = "--min-requests", paramLabel = "COUNT", defaultValue = "20",
                description = "So many requests are needed in each step before it is judged. Default: ${DEFAULT-VALUE}.")
        private long minRequests;

        @Option(names = "--patience", paramLabel = "TIME", defaultValue = "5m",
                description = "How long after a step these may take to come. Default: ${DEFAULT-VALUE}.")
        private Duration patience;

        Limits limits() {
            return new Limits(
                    maxErrorRate == null ? OptionalDouble.empty() : OptionalDouble.of(maxErrorRate.share()),
                    maxP99 == null ? OptionalDouble.empty() : OptionalDouble.of(maxP99.toNanos() / 1e6),
                    Math.max(1, minRequests),
                    patience);
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        return run(spec, service, steps, where, judgement);
    }

    @Command(
            name = "blue-green",
            description = "Gives all requests to the other version at once, watches, and goes back by itself when it does not do well.",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {"", "Example: weft canary blue-green orders --policies ./policies --to v2 --hold 5m --max-error-rate 1%%"},
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:the new version has taken over", "1:nothing was done", "2:wrong usage", "3:it was rolled back",
                "4:it should have been rolled back, and that failed"})
    static final class BlueGreen implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "SERVICE", description = "The service as callers name it.")
        private String service;

        @Mixin
        private Where where;

        @Mixin
        private Judgement judgement;

        @Override
        public Integer call() throws InterruptedException {
            return run(spec, service, List.of(100), where, judgement);
        }
    }

    @Command(
            name = "ab",
            description = {
                "Sends the requests that carry a header to one version, and leaves all others where they go.",
                "",
                "It is written as a policy of its own, SERVICE-ab.yaml, and stays until --end.",
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {"", "Example: weft canary ab orders --policies ./policies --to v2 --header x-group=beta"},
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:done", "1:not done; the reason is on stderr", "2:wrong usage"})
    static final class ByHeader implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "SERVICE", description = "The service as callers name it.")
        private String service;

        @Option(names = "--header", paramLabel = "NAME=VALUE", description = "The header, and the value that it must have.")
        private Map<String, String> header;

        @Option(names = "--end", description = "Take it back.")
        private boolean end;

        @Mixin
        private Where where;

        @Override
        public Integer call() {
            PrintWriter err = spec.commandLine().getErr();
            try {
                RouteStore routes = where.routes(spec);
                if (end) {
                    boolean ended = routes.endByHeader(where.mesh, service);
                    print("ended", ended ? "requests go by weight alone" : "there was nothing to end", Map.of());
                    return 0;
                }
                where.require(spec, service);
                if (header == null || header.size() != 1) {
                    throw new ParameterException(spec.commandLine(), "--header needs to be given once, as x-group=beta");
                }
                Map.Entry<String, String> wanted = header.entrySet().iterator().next();
                String rest = where.from(service, routes, where.watch());
                routes.sendByHeader(where.mesh, service, wanted, where.to, rest);
                print("written", "requests with " + wanted.getKey() + ": " + wanted.getValue() + " go to " + where.to, header);
                return 0;
            } catch (IOException | RolloutException e) {
                err.println("weft canary ab: " + e.getMessage());
                return 1;
            }
        }

        private void print(String kind, String reason, Map<String, String> headers) {
            PrintWriter out = spec.commandLine().getOut();
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("event", kind);
            line.put("service", service);
            line.put("headers", headers);
            line.put("reason", reason);
            out.println(where.json ? Json.line(line) : service + ": " + reason);
            out.flush();
        }
    }

    private static int run(CommandSpec spec, String service, List<Integer> steps, Where where, Judgement judgement)
            throws InterruptedException {
        where.require(spec, service);
        if (steps.isEmpty() || steps.stream().anyMatch(step -> step < 1 || step > 100)) {
            throw new ParameterException(spec.commandLine(), "--steps need numbers from 1 to 100, as 5,25,50,100");
        }
        if (judgement.hold.isZero()) {
            throw new ParameterException(spec.commandLine(), "--hold must be above zero");
        }
        PrintWriter out = spec.commandLine().getOut();
        try {
            RouteStore routes = where.routes(spec);
            PageWatch watch = where.watch();
            String from = where.from(service, routes, watch);
            if (from.equals(where.to)) {
                throw new RolloutException("--from and --to are the same version");
            }
            Plan plan = new Plan(where.mesh, service, from, where.to, steps, judgement.hold, judgement.limits());
            Rollout rollout = new Rollout(plan, routes, watch, new SystemClock(), event -> {
                out.println(where.json ? json(service, event) : text(event));
                out.flush();
            });
            return switch (rolledOut(rollout)) {
                case DONE -> 0;
                case ROLLED_BACK -> ROLLED_BACK;
                case STUCK -> STUCK;
            };
        } catch (IOException | RolloutException e) {
            spec.commandLine().getErr().println("weft canary: " + e.getMessage());
            return 1;
        }
    }

    /** With a signal, the process ends once it has gone back. */
    private static Outcome rolledOut(Rollout rollout) throws IOException, RolloutException, InterruptedException {
        CountDownLatch over = new CountDownLatch(1);
        Thread hook = new Thread(() -> {
            rollout.cancel("it was told to end");
            try {
                over.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "weft-canary-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return rollout.run();
        } finally {
            over.countDown();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // It is ending already, which waits for the latch alone.
                over.countDown();
            }
        }
    }

    private static final class SystemClock implements Rollout.Clock {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void sleep(Duration time) throws InterruptedException {
            Thread.sleep(time.toMillis());
        }
    }

    private static String json(String service, Event event) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        line.put("event", event.kind());
        line.put("service", service);
        line.put("weights", event.weights());
        Observed observed = event.observed();
        if (observed != null) {
            line.put("requests", observed.requests());
            line.put("errors", observed.errors());
            line.put("refused", observed.refused());
            observed.p99Millis().ifPresent(millis -> line.put("p99Ms", millis));
        }
        line.put("reason", event.reason());
        return Json.line(line);
    }

    private static String text(Event event) {
        StringBuilder text = new StringBuilder(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
                .append("  ").append(String.format(Locale.ROOT, "%-11s", event.kind())).append(' ').append(event.reason());
        Observed observed = event.observed();
        if (observed != null) {
            text.append(" (").append(observed.requests()).append(" requests, ").append(observed.errors()).append(" failed");
            if (observed.refused() > 0) {
                text.append(" of which ").append(observed.refused()).append(" refused by the mesh");
            }
            observed.p99Millis().ifPresent(millis -> text.append(String.format(Locale.ROOT, ", p99 %.0f ms", millis)));
            text.append(')');
        }
        return text.toString();
    }
}
