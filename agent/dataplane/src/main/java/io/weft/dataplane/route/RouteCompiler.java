package io.weft.dataplane.route;

import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.DirectResponse;
import io.weft.policy.model.RouteAction.NonForwarding;
import io.weft.policy.model.RouteAction.Redirect;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.VirtualHost;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * Makes route configurations ready for lookup, and only what changed since the last time: a virtual host that is equal to
 * the one before keeps its compiled routes. For one thread.
 */
public final class RouteCompiler {
    private final ToIntFunction<String> clusterIndex;
    // Of this round: most routes test for the same and have the same retry policy, and then share what is made of it.
    private Map<RouteMatch, RouteTest> tests = new HashMap<>();
    private Map<RetryPolicy, RetryRule> retryRules = new HashMap<>();
    private Map<String, CompiledConfiguration> last = Map.of();
    private Map<String, CompiledConfiguration> current = new HashMap<>();

    /** @param clusterIndex a cluster name's place in the policy's table, the same for as long as this compiler lives */
    public RouteCompiler(ToIntFunction<String> clusterIndex) {
        this.clusterIndex = clusterIndex;
    }

    /** @param key under which the configuration is recognised, in this round and in the next */
    VirtualHosts compile(String key, RouteConfiguration configuration) {
        CompiledConfiguration before = current.getOrDefault(key, last.get(key));
        CompiledConfiguration compiled = before != null && before.source.equals(configuration)
                ? before
                : compile(configuration, before);
        current.put(key, compiled);
        return compiled.virtualHosts;
    }

    /** Ends a round: what was not compiled in it is forgotten. */
    public void endRound() {
        last = current;
        current = new HashMap<>();
        tests = new HashMap<>();
        retryRules = new HashMap<>();
    }

    private CompiledConfiguration compile(RouteConfiguration configuration, CompiledConfiguration before) {
        boolean reusable = before != null && before.source.headers().equals(configuration.headers());
        Map<String, CompiledVirtualHost> byName = new HashMap<>();
        List<Map.Entry<String, Routes>> domains = new ArrayList<>();
        for (VirtualHost host : configuration.virtualHosts()) {
            CompiledVirtualHost known = reusable ? before.byName.get(host.name()) : null;
            CompiledVirtualHost compiled = known != null && known.source.equals(host)
                    ? known
                    : new CompiledVirtualHost(host, routes(host, configuration.headers()));
            byName.put(host.name(), compiled);
            for (String domain : host.domains()) {
                domains.add(Map.entry(domain, compiled.routes));
            }
        }
        return new CompiledConfiguration(
                configuration, byName, new VirtualHosts(domains, configuration.ignorePortInHostMatching()));
    }

    private Routes routes(VirtualHost host, HeaderChanges configuration) {
        List<RouteTest> hostTests = new ArrayList<>(host.routes().size());
        List<RouteEntry> entries = new ArrayList<>(host.routes().size());
        for (Route route : host.routes()) {
            // Said to a server; a client goes on to the next route.
            if (!(route.action() instanceof NonForwarding)) {
                RouteTest test = tests.computeIfAbsent(route.match(), RouteTest::new);
                hostTests.add(test);
                entries.add(entry(test, route, host, configuration));
            }
        }
        return new Routes(hostTests, entries);
    }

    private RouteEntry entry(RouteTest test, Route route, VirtualHost host, HeaderChanges configuration) {
        if (route.action() instanceof RouteAction.Forward forward) {
            return forward(test, route, forward, host, configuration);
        }
        List<HeaderChanges> levels = levels(route.headers(), host.headers(), configuration);
        if (route.action() instanceof Redirect redirect) {
            return new RouteEntry.Answer(AnswerRecipe.of(redirect, test.path(), levels));
        }
        return new RouteEntry.Answer(AnswerRecipe.of((DirectResponse) route.action(), levels));
    }

    private RouteEntry forward(
            RouteTest test, Route route, RouteAction.Forward forward, VirtualHost host, HeaderChanges configuration) {
        int size = forward.clusters().size();
        Destination[] destinations = new Destination[size];
        long sum = 0;
        for (int i = 0; i < size; i++) {
            WeightedCluster cluster = forward.clusters().get(i);
            sum += cluster.weight();
            List<HeaderChanges> levels = levels(cluster.headers(), route.headers(), host.headers(), configuration);
            destinations[i] = new Destination(
                    clusterIndex.applyAsInt(cluster.cluster()),
                    sum,
                    RequestRecipe.of(levels, forward.rewrite(), test.path()),
                    levels);
        }
        RetryPolicy retry = forward.retry().or(host::retry).orElse(null);
        return new RouteEntry.Forward(
                destinations,
                retry == null ? null : retryRules.computeIfAbsent(retry, RetryRule::new),
                forward.timeout().toNanos());
    }

    /** Envoy applies the most specific first, so that the least specific has the last word. */
    private static List<HeaderChanges> levels(HeaderChanges... mostSpecificFirst) {
        List<HeaderChanges> levels = new ArrayList<>(mostSpecificFirst.length);
        for (HeaderChanges level : mostSpecificFirst) {
            if (!level.isEmpty()) {
                levels.add(level);
            }
        }
        return List.copyOf(levels);
    }

    private record CompiledConfiguration(
            RouteConfiguration source, Map<String, CompiledVirtualHost> byName, VirtualHosts virtualHosts) {}

    private record CompiledVirtualHost(VirtualHost source, Routes routes) {}
}
