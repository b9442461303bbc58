package io.weft.dataplane.route;

import io.weft.dataplane.HeaderMutations;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.balance.SubsetCriteria;
import io.weft.dataplane.filter.ConnectionFilter;
import io.weft.dataplane.filter.FilterChain;
import io.weft.dataplane.filter.FilterCompiler;
import io.weft.dataplane.filter.FilterCompiler.Level;
import io.weft.dataplane.filter.RouteLimits;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.NetworkFilter;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.DirectResponse;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.NonForwarding;
import io.weft.policy.model.RouteAction.Redirect;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.VirtualHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;

/**
 * Makes route configurations ready for lookup, and only what changed since the last time: a virtual host that is equal to
 * the one before keeps its compiled routes. For one thread.
 */
public final class RouteCompiler {
    /** What a non-forwarding route of a server is: no cluster stands for the app. */
    private static final RouteAction.Forward TO_THE_APP = new RouteAction.Forward(
            RouteAction.ClusterChoice.of(WeightedCluster.of("", 1)),
            RouteAction.Rewrite.NONE,
            Resending.NONE,
            RouteAction.Timeouts.NONE,
            List.of(),
            Map.of(),
            RoutingPriority.DEFAULT);

    /** Envoy's default for every route. */
    private static final Duration MIRROR_TIMEOUT = Duration.ofSeconds(15);

    /** Which way the requests go. */
    enum Side { OUTBOUND, INBOUND }

    private final ToIntFunction<String> clusterIndex;
    private final FilterCompiler filterCompiler;
    private final ProcessInfo process;
    private record TimeLimits(RouteAction.Timeouts ofRequest, RetryPolicy.PerTry ofAttempt, StreamLimits otherwise) {}

    // Of this round: most routes test for the same, and have the same rules, and then share what is made of them.
    private Map<RouteMatch, RouteTest> tests = new HashMap<>();
    private Map<List<RouteTest>, RouteTest[]> testLists = new HashMap<>();
    private Map<RetryPolicy, RetryRule> retryRules = new HashMap<>();
    private Map<TimeLimits, TimeoutRule> timeoutRules = new HashMap<>();
    private Map<List<HashPolicy>, RequestHasher> hashers = new HashMap<>();
    private Map<ForwardRule, ForwardRule> forwardRules = new HashMap<>();
    private Map<Destination.Treatment, Destination.Treatment> treatments = new HashMap<>();
    /** By status, of which there are few. */
    private final Map<Integer, LocalReply> notFoundReplies = new HashMap<>();
    private Map<String, CompiledConfiguration> last = Map.of();
    private Map<String, CompiledConfiguration> current = new HashMap<>();

    /** @param clusterIndex a cluster name's place in the policy's table, the same for as long as this compiler lives */
    public RouteCompiler(ToIntFunction<String> clusterIndex, FilterCompiler filterCompiler, ProcessInfo process) {
        this.clusterIndex = clusterIndex;
        this.filterCompiler = filterCompiler;
        this.process = process;
    }

    /**
     * @param key under which the configuration is recognised, in this round and in the next; one of its own for each connection
     *     manager that has filters, or other limits
     * @param manager whose routes these are
     * @param side the same for one key always
     */
    VirtualHosts compile(String key, RouteConfiguration configuration, HttpConnectionManager manager, Side side) {
        CompiledConfiguration before = current.getOrDefault(key, last.get(key));
        // The policy client keeps the object for as long as nothing is changed in it.
        boolean same = before != null && before.source == configuration
                && before.filters.equals(manager.filters()) && before.limits.equals(manager.limits());
        CompiledConfiguration compiled = same ? before : new Compilation(key, configuration, manager, side).compile(before);
        current.put(key, compiled);
        return compiled.virtualHosts;
    }

    /** @param key of the filter chain, as in {@link #compile} */
    List<ConnectionFilter> connectionFilters(String key, List<NetworkFilter> filters) {
        return filterCompiler.compile(key, filters);
    }

    /** Ends a round: what was not compiled in it is forgotten. */
    public void endRound() {
        last = current;
        current = new HashMap<>();
        tests = new HashMap<>();
        testLists = new HashMap<>();
        retryRules = new HashMap<>();
        timeoutRules = new HashMap<>();
        hashers = new HashMap<>();
        forwardRules = new HashMap<>();
        treatments = new HashMap<>();
    }

    /** Of one route configuration. */
    private final class Compilation {
        private final String key;
        private final RouteConfiguration configuration;
        private final List<NamedFilter> ofManager;
        private final List<NamedFilter> filters;
        private final StreamLimits limits;
        private final Side side;
        private final FilterChain unroutedFilters;

        Compilation(String key, RouteConfiguration configuration, HttpConnectionManager manager, Side side) {
            this.side = side;
            ofManager = manager.filters();
            // What passes bytes on has no requests.
            filters = manager.routes() instanceof HttpConnectionManager.Opaque
                    ? ofManager
                    : filterCompiler.complete(ofManager);
            limits = manager.limits();
            unroutedFilters = filterCompiler.compile(key, filters, List.of(), RouteLimits.NONE);
            this.key = key;
            this.configuration = configuration;
        }

        CompiledConfiguration compile(CompiledConfiguration before) {
            boolean reusable = before != null
                    && before.source.headers().equals(configuration.headers())
                    && before.source.mostSpecificHeadersWin() == configuration.mostSpecificHeadersWin()
                    && before.source.filters().equals(configuration.filters())
                    && before.filters.equals(ofManager)
                    && before.limits.equals(limits);
            Map<String, CompiledVirtualHost> byName = new HashMap<>();
            List<Map.Entry<String, Routes>> domains = new ArrayList<>();
            for (VirtualHost host : configuration.virtualHosts()) {
                CompiledVirtualHost known = reusable ? before.byName.get(host.name()) : null;
                CompiledVirtualHost compiled = known != null && known.source.equals(host)
                        ? known
                        : new CompiledVirtualHost(host, routes(host));
                byName.put(host.name(), compiled);
                for (String domain : host.domains()) {
                    domains.add(Map.entry(domain, compiled.routes));
                }
            }
            return new CompiledConfiguration(
                    configuration,
                    ofManager,
                    limits,
                    byName,
                    new VirtualHosts(domains, configuration.ignorePortInHostMatching(), unroutedFilters));
        }

        private Routes routes(VirtualHost host) {
            List<RouteTest> hostTests = new ArrayList<>(host.routes().size());
            List<RouteEntry> entries = new ArrayList<>(host.routes().size());
            for (int i = 0; i < host.routes().size(); i++) {
                Route route = host.routes().get(i);
                // Said to a server; a client goes on to the next route.
                if (side == Side.INBOUND || !(route.action() instanceof NonForwarding)) {
                    RouteTest test = tests.computeIfAbsent(route.match(), RouteTest::new);
                    hostTests.add(test);
                    entries.add(entry(test, route, i, host));
                }
            }
            RouteEntry toHttps =
                    host.requireTls() ? new RouteEntry.Answer(host.name(), "", AnswerRecipe.toHttps(), unroutedFilters) : null;
            RouteTest[] shared = testLists.computeIfAbsent(hostTests, list -> list.toArray(new RouteTest[0]));
            return new Routes(host.name(), shared, entries, toHttps, unroutedFilters);
        }

        private RouteEntry entry(RouteTest test, Route route, int index, VirtualHost host) {
            if (route.action() instanceof RouteAction.Forward forward) {
                return forward(test, route, index, forward, host);
            }
            if (route.action() instanceof NonForwarding) {
                return forward(test, route, index, TO_THE_APP, host);
            }
            HeaderMutations headers = HeaderMutations.ofResponse(levels(HeaderChanges.NONE, route, host), process);
            AnswerRecipe recipe = route.action() instanceof Redirect redirect
                    ? AnswerRecipe.of(redirect, test.path(), headers)
                    : AnswerRecipe.of((DirectResponse) route.action(), headers);
            return new RouteEntry.Answer(host.name(), route.name(), recipe, filters(host, index, route, FilterOverrides.NONE, 0));
        }

        private RouteEntry forward(RouteTest test, Route route, int index, RouteAction.Forward forward, VirtualHost host) {
            List<WeightedCluster> clusters = forward.clusters().weighted();
            Destination[] destinations = new Destination[clusters.size()];
            long sum = 0;
            RequestHasher hasher = hashers.computeIfAbsent(forward.hashPolicies(), RequestHasher::of);
            for (int i = 0; i < destinations.length; i++) {
                WeightedCluster cluster = clusters.get(i);
                sum += cluster.weight();
                List<HeaderChanges> levels = levels(cluster.headers(), route, host);
                destinations[i] = new Destination(
                        cluster.cluster() instanceof Named named
                                ? clusterIndex.applyAsInt(named.cluster())
                                : Destination.IN_HEADER,
                        cluster.cluster(),
                        sum,
                        shared(new Destination.Treatment(
                                RequestRecipe.of(
                                        HeaderMutations.ofRequest(levels, process), cluster.host(), forward.rewrite(), test.path()),
                                ResponseRecipe.of(HeaderMutations.ofResponse(levels, process), host.attemptCount().inResponse()),
                                filters(host, index, route, cluster.filters(), i),
                                hasher,
                                wanted(forward.metadataMatch(), cluster.metadataMatch()))));
            }
            Resending resending = forward.resending().or(host.resending());
            RetryPolicy retry = resending.retry().orElse(null);
            return new RouteEntry.Forward(host.name(), route.name(), destinations, shared(new ForwardRule(
                    forward.clusters().valueHeader().orElse(null),
                    notFound(forward.clusters()),
                    host.attemptCount().inRequest(),
                    resend(resending, forward, test),
                    timeoutRule(forward.timeouts(), retry == null ? RetryPolicy.PerTry.NO_LIMIT : retry.perTry()),
                    forward.priority())));
        }

        private LocalReply notFound(RouteAction.ClusterChoice choice) {
            return notFoundReplies.computeIfAbsent(choice.notFoundStatus(), status -> LocalReply.of(status, ""));
        }

        private ForwardRule shared(ForwardRule rule) {
            return forwardRules.computeIfAbsent(rule, same -> same);
        }

        private Destination.Treatment shared(Destination.Treatment treatment) {
            return treatments.computeIfAbsent(treatment, same -> same);
        }

        private ResendRule resend(Resending resending, RouteAction.Forward forward, RouteTest test) {
            if (resending.equals(Resending.NONE)) {
                return ResendRule.NONE;
            }
            return new ResendRule(
                    resending.retry().map(retry -> retryRules.computeIfAbsent(retry, RetryRule::new)).orElse(null),
                    ResendRule.Copies.of(
                            resending.hedge().isPresent() && resending.hedge().get().onPerTryTimeout(),
                            resending.mirrors().stream().map(mirror -> mirror(mirror, forward.timeouts(), test)).toList()),
                    resending.bufferLimit().orElse(-1));
        }

        /** The copy has the original's time limit, as in Envoy, or one of its own: it must not hold its place for ever. */
        private Mirror mirror(MirrorPolicy policy, RouteAction.Timeouts original, RouteTest test) {
            boolean limited = original.streamDuration().isEmpty() && !original.request().isZero();
            RouteAction.Timeouts timeouts = new RouteAction.Timeouts(
                    limited ? original.request() : MIRROR_TIMEOUT, Optional.empty(), original.grpc(), Optional.empty());
            Destination destination = new Destination(
                    policy.cluster() instanceof Named named ? clusterIndex.applyAsInt(named.cluster()) : Destination.IN_HEADER,
                    policy.cluster(),
                    1,
                    shared(new Destination.Treatment(
                            RequestRecipe.of(
                                    HeaderMutations.ofRequest(policy.headers(), process),
                                    Optional.empty(),
                                    RouteAction.Rewrite.NONE,
                                    test.path()),
                            ResponseRecipe.of(HeaderMutations.ofResponse(List.of(), process), false),
                            FilterChain.NONE,
                            null,
                            null)));
            return new Mirror(policy, new RouteEntry.Forward("", "", new Destination[] {destination}, shared(new ForwardRule(
                    null,
                    notFound(RouteAction.ClusterChoice.of(WeightedCluster.of("", 1))),
                    false,
                    ResendRule.NONE,
                    TimeoutRule.of(timeouts, RetryPolicy.PerTry.NO_LIMIT, StreamLimits.NONE),
                    RoutingPriority.DEFAULT))));
        }

        private TimeoutRule timeoutRule(RouteAction.Timeouts timeouts, RetryPolicy.PerTry perTry) {
            return timeoutRules.computeIfAbsent(
                    new TimeLimits(timeouts, perTry, limits),
                    all -> TimeoutRule.of(all.ofRequest(), all.ofAttempt(), all.otherwise()));
        }

        /** What the cluster says overrides what the route says, key by key. */
        private static SubsetCriteria wanted(Map<String, Object> route, Map<String, Object> cluster) {
            if (cluster.isEmpty()) {
                return SubsetCriteria.of(route);
            }
            Map<String, Object> both = new HashMap<>(route);
            both.putAll(cluster);
            return SubsetCriteria.of(both);
        }

        /** In the order in which they are applied: whose are applied last have the last word. */
        private List<HeaderChanges> levels(HeaderChanges cluster, Route route, VirtualHost host) {
            return configuration.mostSpecificHeadersWin()
                    ? notEmpty(cluster, configuration.headers(), host.headers(), route.headers())
                    : notEmpty(cluster, route.headers(), host.headers(), configuration.headers());
        }

        private FilterChain filters(VirtualHost host, int route, Route of, FilterOverrides cluster, int clusterIndex) {
            if (filters.isEmpty()) {
                return FilterChain.NONE;
            }
            String hostKey = key + "/" + host.name();
            String routeKey = hostKey + "/" + route;
            return filterCompiler.compile(key, filters, List.of(
                    new Level(routeKey + "/" + clusterIndex, cluster),
                    new Level(routeKey, of.filters()),
                    new Level(hostKey, host.filters()),
                    new Level(key + "/", configuration.filters())),
                    // What is answered here has none.
                    of.action() instanceof RouteAction.Forward
                            ? new RouteLimits(of.filters().rateLimits(), host.filters().rateLimits())
                            : RouteLimits.NONE);
        }
    }

    private static List<HeaderChanges> notEmpty(HeaderChanges... inOrder) {
        List<HeaderChanges> levels = new ArrayList<>(inOrder.length);
        for (HeaderChanges level : inOrder) {
            if (!level.isEmpty()) {
                levels.add(level);
            }
        }
        return List.copyOf(levels);
    }

    private record CompiledConfiguration(
            RouteConfiguration source,
            List<NamedFilter> filters,
            StreamLimits limits,
            Map<String, CompiledVirtualHost> byName,
            VirtualHosts virtualHosts) {}

    private record CompiledVirtualHost(VirtualHost source, Routes routes) {}
}
