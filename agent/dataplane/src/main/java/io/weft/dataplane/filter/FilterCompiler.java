package io.weft.dataplane.filter;

import io.weft.dataplane.Faults;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.Refusals;
import io.weft.dataplane.Surroundings;
import io.weft.dataplane.accesslog.AccessLogSink;
import io.weft.dataplane.accesslog.LogRequests;
import io.weft.dataplane.authorize.AccessStats;
import io.weft.dataplane.authorize.ConnectionRbacFilter;
import io.weft.dataplane.authorize.RbacFilter;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.jwt.JwtFilter;
import io.weft.dataplane.jwt.KeySets;
import io.weft.dataplane.trace.TraceRequests;
import io.weft.dataplane.trace.Tracer;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.FilterOverrides.Disabled;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.HttpFilter.AccessLogs;
import io.weft.policy.model.HttpFilter.Buffer;
import io.weft.policy.model.HttpFilter.ConditionOfRoute;
import io.weft.policy.model.HttpFilter.Conditional;
import io.weft.policy.model.HttpFilter.ConnectionAccessControl;
import io.weft.policy.model.HttpFilter.Cors;
import io.weft.policy.model.HttpFilter.CorsPolicy;
import io.weft.policy.model.HttpFilter.Fault;
import io.weft.policy.model.HttpFilter.HeaderMutation;
import io.weft.policy.model.HttpFilter.LocalRateLimit;
import io.weft.policy.model.HttpFilter.NoSession;
import io.weft.policy.model.HttpFilter.SetFilterState;
import io.weft.policy.model.HttpFilter.TokenAuthentication;
import io.weft.policy.model.HttpFilter.TokenRequirementOfRoute;
import io.weft.policy.model.HttpFilter.Traces;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.NetworkFilter;
import io.weft.policy.model.Tracing;
import java.lang.ref.WeakReference;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes the filter chain of each route. A filter whose configuration is the same in the same place as in the snapshot before stays
 * the same object, so that what it counts, as the tokens of a rate limit, outlives a change somewhere else. For one thread.
 */
public final class FilterCompiler {
    private final NanoClock clock;
    private final Randomness randomness;
    private final Faults faults;
    private final Refusals refusals;
    private final AccessStats accessStats;
    private final KeySets keySets;
    private final InstantSource time;
    private final ProcessInfo process;
    private final AccessLogSink accessLogs;
    /** Null: nobody wants spans. */
    private volatile Tracer tracer;
    private volatile List<NamedFilter> tracing = List.of();
    /** For as long as a route holds them: routes that did not change are not compiled again. */
    private final Map<Place, WeakReference<HttpFilter>> known = new HashMap<>();
    private final Map<ConnectionPlace, WeakReference<ConnectionFilter>> knownConnectionFilters = new HashMap<>();

    public FilterCompiler(
            Surroundings surroundings, ProcessInfo process, Refusals refusals, AccessStats accessStats, KeySets keySets,
            AccessLogSink accessLogs) {
        clock = surroundings.clock();
        randomness = surroundings.randomness();
        faults = surroundings.faults();
        time = surroundings.time();
        this.refusals = refusals;
        this.accessStats = accessStats;
        this.keySets = keySets;
        this.process = process;
        this.accessLogs = accessLogs;
    }

    /**
     * Has requests traced, from the next compilation on.
     *
     * @param otherwise for connection managers that say nothing of it
     */
    public void trace(Tracer by, Optional<Tracing> otherwise) {
        tracing = otherwise.map(said -> List.of(new NamedFilter("tracing", new Traces(said), false))).orElse(List.of());
        tracer = by;
    }

    /** With what is done where a connection manager says nothing. */
    public List<NamedFilter> complete(List<NamedFilter> filters) {
        if (tracing.isEmpty() || filters.stream().anyMatch(filter -> filter.filter() instanceof Traces)) {
            return filters;
        }
        List<NamedFilter> all = new ArrayList<>(tracing);
        all.addAll(filters);
        return all;
    }

    /** What formats say of this process. */
    public ProcessInfo process() {
        return process;
    }

    /**
     * What one level says.
     *
     * @param name the same for all routes that share the level's filters, and from snapshot to snapshot
     */
    public record Level(String name, FilterOverrides overrides) {}

    /**
     * @param manager the connection manager's name, as a {@link Level#name}
     * @param levels most specific first
     * @param limits what route and virtual host say to filters that limit by descriptors
     */
    public FilterChain compile(String manager, List<NamedFilter> filters, List<Level> levels, RouteLimits limits) {
        if (filters.isEmpty()) {
            return FilterChain.NONE;
        }
        List<String> names = new ArrayList<>(filters.size());
        List<HttpFilter> compiled = new ArrayList<>(filters.size());
        for (int i = 0; i < filters.size(); i++) {
            HttpFilter filter = compile(manager, i, filters.get(i), levels);
            if (filter != null) {
                names.add(filters.get(i).name());
                compiled.add(filter.with(limits));
            }
        }
        return compiled.isEmpty() ? FilterChain.NONE : new FilterChain(names, compiled, faults);
    }

    /** @param chain the filter chain's name, as a {@link Level#name} */
    public List<ConnectionFilter> compile(String chain, List<NetworkFilter> filters) {
        List<ConnectionFilter> compiled = new ArrayList<>(filters.size());
        for (int i = 0; i < filters.size(); i++) {
            ConnectionPlace place = new ConnectionPlace(chain, i, filters.get(i));
            WeakReference<ConnectionFilter> before = knownConnectionFilters.get(place);
            ConnectionFilter filter = before == null ? null : before.get();
            if (filter == null) {
                filter = new ConnectionRateLimit((NetworkFilter.LocalRateLimit) filters.get(i), clock, randomness);
                knownConnectionFilters.put(place, new WeakReference<>(filter));
            }
            compiled.add(filter);
        }
        return compiled;
    }

    private record ConnectionPlace(String chain, int index, NetworkFilter config) {}

    /** Ends a round: a filter that no route has any more may be forgotten. */
    public void endRound() {
        known.values().removeIf(filter -> filter.get() == null);
        knownConnectionFilters.values().removeIf(filter -> filter.get() == null);
    }

    /** @return null: it does not act */
    private HttpFilter compile(String manager, int index, NamedFilter filter, List<Level> levels) {
        boolean disabled = filter.disabled();
        String owner = manager;
        List<io.weft.policy.model.HttpFilter> configs = new ArrayList<>(levels.size() + 1);
        boolean decided = false;
        for (Level level : levels) {
            FilterOverrides.Override override = level.overrides().byFilter().get(filter.name());
            if (override == null) {
                continue;
            }
            if (!decided) {
                decided = true;
                disabled = override instanceof Disabled;
            }
            if (override instanceof Configured configured) {
                owner = configs.isEmpty() ? level.name() : owner;
                configs.add(configured.filter());
            }
        }
        if (disabled) {
            return null;
        }
        configs.add(filter.filter());
        Place place = new Place(owner, index, filter.name(), configs);
        WeakReference<HttpFilter> before = known.get(place);
        HttpFilter compiled = before == null ? null : before.get();
        if (compiled == null) {
            compiled = make(filter.name(), configs);
            if (compiled == null) {
                return null;
            }
            known.put(place, new WeakReference<>(compiled));
        }
        return compiled;
    }

    /**
     * The connection manager says what the filter is: what a level has under its name for another filter means nothing, and never
     * puts another one in its place.
     *
     * @param name of the filter in the listener
     * @param configs most specific first, the connection manager's last
     * @return null: it does nothing
     */
    private HttpFilter make(String name, List<io.weft.policy.model.HttpFilter> configs) {
        io.weft.policy.model.HttpFilter base = configs.get(configs.size() - 1);
        if (base instanceof Buffer) {
            return new RequestSizeLimit(first(Buffer.class, configs).maxRequestBytes());
        }
        if (base instanceof LocalRateLimit) {
            LocalRateLimit limit = first(LocalRateLimit.class, configs);
            boolean none = limit.bucket().isEmpty() && limit.descriptors().buckets().isEmpty();
            return none ? null : new LocalRateLimitFilter(limit, clock, randomness, process);
        }
        if (base instanceof Fault) {
            Fault fault = first(Fault.class, configs);
            boolean none = fault.delay().isEmpty() && fault.abort().isEmpty() && fault.responseRate().isEmpty();
            return none ? null : new FaultFilter(fault, randomness);
        }
        if (base instanceof HeaderMutation) {
            return new HeaderMutationFilter(all(HeaderMutation.class, configs), process);
        }
        if (base instanceof SetFilterState) {
            return new SetFilterStateFilter(all(SetFilterState.class, configs), process);
        }
        if (base instanceof Cors) {
            List<CorsPolicy> policies =
                    all(Cors.class, configs).stream().map(Cors::policy).flatMap(Optional::stream).toList();
            return policies.isEmpty() ? null : new CorsFilter(policies, randomness);
        }
        if (base instanceof AccessLogs logs) {
            return new LogRequests(logs.logs(), clock, process, accessLogs);
        }
        if (base instanceof Traces traces) {
            return tracer == null || !tracer.traces(traces.tracing()) ? null : new TraceRequests(traces.tracing(), tracer, process.environment());
        }
        if (base instanceof AccessControl) {
            RbacFilter access = new RbacFilter(first(AccessControl.class, configs).rbac(), refusals, faults);
            accessStats.add(name, access);
            return access;
        }
        if (base instanceof ConnectionAccessControl access) {
            RbacFilter connections = new ConnectionRbacFilter(access.rbac(), refusals, faults);
            accessStats.add(name, connections);
            return connections;
        }
        if (base instanceof io.weft.policy.model.HttpFilter.StatefulSession) {
            io.weft.policy.model.HttpFilter.StatefulSession session = first(io.weft.policy.model.HttpFilter.StatefulSession.class, configs);
            return session.state() instanceof NoSession ? null : StatefulSession.of(session, clock);
        }
        if (base instanceof TokenAuthentication authentication) {
            TokenRequirementOfRoute ofRoute = first(TokenRequirementOfRoute.class, configs);
            return new JwtFilter(authentication.jwt(), ofRoute == null ? null : ofRoute.requirement(), keySets, time);
        }
        if (base instanceof Conditional conditional) {
            ConditionOfRoute ofRoute = first(ConditionOfRoute.class, configs);
            List<io.weft.policy.model.HttpFilter> inner = new ArrayList<>(configs);
            inner.set(inner.size() - 1, conditional.filter());
            HttpFilter filter = make(name, inner);
            return filter == null
                    ? null
                    : new ConditionalFilter(ofRoute == null ? conditional.condition() : ofRoute.condition(), filter);
        }
        throw new AssertionError(base);
    }

    /** @return null when there is none */
    private static <C> C first(Class<C> type, List<io.weft.policy.model.HttpFilter> configs) {
        for (io.weft.policy.model.HttpFilter config : configs) {
            if (type.isInstance(config)) {
                return type.cast(config);
            }
        }
        return null;
    }

    /** What is no filter of that kind, Envoy does not look at either. */
    private static <T> List<T> all(Class<T> kind, List<io.weft.policy.model.HttpFilter> configs) {
        return configs.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    private record Place(String owner, int index, String name, List<io.weft.policy.model.HttpFilter> configs) {}
}
