package io.weft.dataplane;

import io.weft.dataplane.accesslog.AccessLogSink;
import io.weft.dataplane.authorize.AccessStats;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.dataplane.cluster.ClusterCompiler;
import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.dns.NameLookup;
import io.weft.dataplane.dns.Names;
import io.weft.dataplane.filter.FilterCompiler;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.health.HealthProber;
import io.weft.dataplane.jwt.KeySets;
import io.weft.dataplane.metrics.RequestMetrics;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.dataplane.route.Listeners;
import io.weft.dataplane.trace.RequestTrace;
import io.weft.dataplane.trace.SpanSink;
import io.weft.dataplane.trace.Tracer;
import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.InboundRefusals;
import io.weft.policy.load.LoadSource;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Tracing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Decides where the requests of this JVM go and what becomes of those that come in. One for the process.
 *
 * <p>Policies come in by {@link #apply} on one thread; a request reads the newest with one volatile read and keeps to it.
 */
public final class DataPlane implements Outbound, LoadSource {
    /** As long as Envoy's resolver gives a name service. */
    private static final long WARMING_NANOS = 5_000_000_000L;

    private final NanoClock clock;
    private final Randomness randomness;
    private final long graceEndNanos;
    private final Deadlines deadlines;
    private final Surroundings surroundings;
    private ClientLayers clientLayers;
    private Telling telling = Telling.NOTHING;
    private boolean required;
    private final Mirroring mirroring;
    private final RequestMetrics metrics;
    private final Notices.Relay notices = new Notices.Relay();
    private final InboundPorts inbound;
    private final FilterCompiler filters;
    private final PolicyCompiler compiler;
    private final Policy noPolicy;
    private final KeySets keySets;
    private final Names names;
    private final Timers timers;
    private final UpstreamHttp.Relay upstream = new UpstreamHttp.Relay();
    private final AccessStats accessStats = new AccessStats();
    private final HealthProber.Relay prober = new HealthProber.Relay();
    private final Refusals.Relay refusals = new Refusals.Relay();
    private final AccessLogSink.Relay accessLogs = new AccessLogSink.Relay();
    private final TransportSecurity.Relay security;
    private final CountDownLatch firstPolicy = new CountDownLatch(1);
    /** Null before the first policy, until the start-up grace is over. Written under the lock. */
    private volatile Policy policy;
    /** Null before the first. Guarded by the lock; whether it is yet to be put in force is written under it. */
    private PolicySnapshot latest;
    private volatile boolean warming;
    /** How often that began. Guarded by the lock. */
    private int warmings;

    /** @param startupWait for how long from now on requests wait for the first policy; not negative */
    public DataPlane(Duration startupWait, Surroundings surroundings) {
        clock = surroundings.clock();
        randomness = surroundings.randomness();
        timers = surroundings.timers();
        Faults faults = surroundings.faults();
        names = new Names(timers, randomness, faults, this::namesChanged);
        security = new TransportSecurity.Relay(faults);
        graceEndNanos = clock.nanoTime() + startupWait.toNanos();
        mirroring = new Mirroring(faults, notices);
        metrics = new RequestMetrics(clock, randomness, timers);
        this.surroundings = surroundings;
        deadlines = new Deadlines(clock, timers);
        clientLayers = clientLayers();
        mirroring.through(clientLayers.mirrored());
        inbound = new InboundPorts(() -> policy, () -> warming, surroundings, metrics, refusals, notices);
        keySets = new KeySets(new ClusterKeyFetcher(() -> policy, upstream, clock, randomness), timers, randomness, faults);
        ProcessInfo process = ProcessInfo.ofThisProcess(surroundings.time(), randomness);
        filters = new FilterCompiler(surroundings, process, refusals, accessStats, keySets, accessLogs);
        compiler = new PolicyCompiler(surroundings, prober, security, names, filters);
        noPolicy = new PolicyCompiler(surroundings, prober, security, names, filters).compile(PolicySnapshot.empty());
    }

    private ClientLayers clientLayers() {
        return ClientLayers.of(deadlines, surroundings, mirroring, metrics, telling, notices);
    }

    private void tell(Telling what) {
        telling = what;
        clientLayers = clientLayers();
        mirroring.through(clientLayers.mirrored());
        inbound.passThrough(what);
    }

    /** With the system's clock and random numbers. */
    public static DataPlane start(Duration startupWait, Timers timers, Faults faults, Self self) {
        return new DataPlane(startupWait, Surroundings.ofSystem(timers, faults, self));
    }

    /**
     * Puts the snapshot in force for every exchange claimed from now on; where it has names that nobody has asked for yet, when they
     * were asked for, but not much later: as a proxy warms a cluster before it uses it. Called by one thread, in order of generation.
     */
    public synchronized void apply(PolicySnapshot snapshot) {
        latest = snapshot;
        boolean begins = !warming;
        warming = true;
        names.follow(ClusterCompiler.names(snapshot));
        if (names.allKnown()) {
            putInForce();
        } else if (begins) {
            // Once for all that come meanwhile: with one after the other, none would be in force.
            int which = ++warmings;
            timers.schedule(WARMING_NANOS, () -> endWarming(which));
        }
    }

    private synchronized void endWarming(int which) {
        if (warming && warmings == which) {
            putInForce();
        }
    }

    private synchronized void namesChanged() {
        if (latest != null && (!warming || names.allKnown())) {
            putInForce();
        }
    }

    private void putInForce() {
        policy = compiler.compile(latest);
        warming = false;
        firstPolicy.countDown();
        inbound.policyChanged();
        keySets.fetch();
    }

    /** Says who is asked what names stand for, and on which threads. To be said once, before the first policy. */
    public void resolveBy(NameLookup lookup, Executor executor) {
        names.by(lookup, executor);
    }

    /** Has TLS to whatever it is wait for the first policy as plaintext does. To be said before the first request. */
    public void require() {
        required = true;
    }

    /** Says who makes the agent's own requests; until then none is made. Replaces the one before. */
    public void requestsBy(UpstreamHttp http) {
        upstream.to(http);
    }

    /** Says who connects for active health checks; until then every check succeeds. To be said before the first policy. */
    public void checksBy(HealthProber by) {
        prober.to(by);
    }

    /** Says who sends mirrored requests; until then every one is dropped and counted. Replaces the one before. */
    public void mirrorsBy(MirrorSender sender) {
        mirroring.by(sender);
    }

    /** What an operator must know, in the order in which it turned out. */
    public List<String> notices() {
        return notices.said();
    }

    /** Says who is told what an operator must know. Replaces the one before. */
    public void noticesTo(Notices notices) {
        this.notices.to(notices);
    }

    /** Says who writes access logs; until then none are written. Replaces the one before. */
    public void accessLogsTo(AccessLogSink sink) {
        accessLogs.to(sink);
    }

    /** Says who secures connections, for every snapshot that is applied from now on. Replaces the one before. */
    public void secureBy(TransportSecurity transport) {
        security.to(transport);
    }

    /** Says who is told of what access control refuses. Replaces the one before. */
    public void onRefusal(Refusals listener) {
        refusals.to(listener);
    }

    public InboundPorts inbound() {
        return inbound;
    }

    /** The clusters of the policy in force, by name; empty before the first. */
    public List<ClusterStats> stats() {
        Policy inForce = policy;
        if (inForce == null) {
            return List.of();
        }
        List<ClusterStats> stats = new ArrayList<>();
        for (ClusterView cluster : inForce.clusters()) {
            if (cluster != null) {
                stats.add(cluster.stats());
            }
        }
        stats.sort(Comparator.comparing(ClusterStats::name));
        return stats;
    }

    @Override
    public List<ClusterLoad> load() {
        Policy inForce = policy;
        List<ClusterLoad> load = new ArrayList<>();
        if (inForce != null) {
            for (ClusterView cluster : inForce.clusters()) {
                if (cluster != null) {
                    load.add(cluster.load());
                }
            }
        }
        return load;
    }

    @Override
    public InboundRefusals refusals() {
        return metrics.refusals();
    }

    /**
     * All requests so far, both ways, apart by peer and outcome; those to a cluster for as long as it is listed. In no particular
     * order.
     */
    public List<RequestStats> requestStats() {
        List<RequestStats> stats = new ArrayList<>(metrics.stats());
        Policy inForce = policy;
        if (inForce != null) {
            for (ClusterView cluster : inForce.clusters()) {
                if (cluster != null) {
                    stats.addAll(cluster.state().meters().stats());
                }
            }
        }
        return stats;
    }

    /**
     * What would become of a request that goes out, by the policy in force: nothing is sent, and nothing is counted. Where chance
     * decides about a route, the lowest number is drawn.
     */
    public Explanation explain(RequestHead request) {
        Policy inForce = policy;
        return inForce == null || !request.scheme().equals("http") ? Explanation.NOT_IN_MESH : Explanation.of(inForce, request);
    }

    /**
     * Tells how requests were decided, as one object of JSON. To be said before the first request.
     *
     * @param answers a request that asks by the header {@code x-weft-debug} gets it in its response
     * @param share of all requests of which it is logged, from 0 to 1
     * @param log gets it, also where there is no response to put an answer into; on the request's own thread, which it must not block
     */
    public void tellDecisions(boolean answers, double share, Consumer<String> log) {
        tell(new Telling(new Debugging(answers, share, log), telling.traces()));
    }

    /**
     * Has spans made of requests whose connection manager has tracing. To be said before the first policy for which they are wanted.
     *
     * @param sink gets them; on the requests' own threads
     * @param wanted whose spans go somewhere
     * @param otherwise for connection managers that say nothing of tracing
     */
    public Tracer trace(SpanSink sink, Predicate<Tracing> wanted, Optional<Tracing> otherwise) {
        Tracer tracer = new Tracer(surroundings, sink, wanted);
        filters.trace(tracer, otherwise);
        tell(new Telling(telling.debugging(), true));
        return tracer;
    }

    /** What each rule of access control has decided. */
    public List<RuleStats> accessStats() {
        return accessStats.rules();
    }

    /** Of the snapshot in force; -1 before the first. */
    public long generation() {
        Policy inForce = policy;
        return inForce == null || inForce == noPolicy ? -1 : inForce.generation();
    }

    @Override
    public boolean claims(Exchange exchange) {
        try {
            return exchange.scheme().equals("http") && MatchRoute.match(inForce(), exchange, randomness, clientLayers);
        } catch (Throwable fault) {
            // First of all: what follows may have the same fault.
            exchange.perhapsSecured = true;
            exchange.perhapsSecured = mayBeSecured(exchange);
            throw fault;
        }
    }

    /** For a request of which not more is known than that its way was not found. */
    private boolean mayBeSecured(Exchange exchange) {
        Policy inForce = policy;
        if (inForce == null || !inForce.secures()) {
            return false;
        }
        try {
            return exchange.scheme().equals("http") && mayBeSecured(exchange.authority());
        } catch (Throwable unknown) {
            return true;
        }
    }

    @Override
    public boolean mayBeSecured(String authority) {
        Policy inForce = policy;
        if (inForce == null || !inForce.secures()) {
            return false;
        }
        try {
            return inForce.listeners().find(authority) != null;
        } catch (Throwable unknown) {
            return true;
        }
    }

    @Override
    public boolean names(String authority) {
        Policy inForce = inForce();
        try {
            return inForce.listeners().find(authority) != null;
        } catch (Throwable fault) {
            if (!inForce.secures()) {
                throw fault;
            }
            // Who asks here goes on to ask claims, which has the same fault, and by which the request is not sent in plaintext.
            return true;
        }
    }

    @Override
    public boolean refuses(boolean tls, String host, int port) {
        Policy inForce = tls && !required ? policy : inForce();
        if (inForce == null) {
            return false;
        }
        Listeners listeners = inForce.listeners();
        if (!listeners.guardsOutside()) {
            return false;
        }
        String bracketed = host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
        boolean usual = port < 0 || port == (tls ? 443 : 80);
        return listeners.refuse(tls, usual ? bracketed : bracketed + ":" + port);
    }

    private Policy inForce() {
        Policy inForce = policy;
        return inForce == null ? awaitFirst() : inForce;
    }

    @Override
    public Endpoint pick(String scheme, String authority, String method, String path) {
        AddressOnly exchange = new AddressOnly(scheme, authority, method, path);
        if (!claims(exchange)) {
            return null;
        }
        // What a filter would make a request wait for, no request is there to wait.
        Exchange.Step step = exchange.next();
        while (step == Exchange.Step.WAIT) {
            step = exchange.next();
        }
        // It is a question, not a request.
        metrics.forget(exchange);
        exchange.end();
        return step == Exchange.Step.DIAL ? exchange.endpoint() : null;
    }

    private Policy awaitFirst() {
        try {
            firstPolicy.await(graceEndNanos - clock.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            // Not the mesh's to handle: the library sees it in its own I/O.
            Thread.currentThread().interrupt();
            Policy inForce = policy;
            return inForce == null ? noPolicy : inForce;
        }
        return endGrace();
    }

    private synchronized Policy endGrace() {
        if (policy == null) {
            policy = noPolicy;
        }
        return policy;
    }

    /** A request of which only the target is known. */
    private static final class AddressOnly extends Exchange {
        private final String scheme;
        private final String authority;
        private final String method;
        private final String path;

        AddressOnly(String scheme, String authority, String method, String path) {
            this.scheme = scheme;
            this.authority = authority;
            this.method = method;
            this.path = path;
        }

        @Override
        public String method() {
            return method;
        }

        @Override
        public String scheme() {
            return scheme;
        }

        @Override
        public String authority() {
            return authority;
        }

        @Override
        public String path() {
            return path;
        }

        @Override
        public String header(String name) {
            return null;
        }

        @Override
        public Replay replay() {
            return Replay.ONE_SHOT;
        }

        @Override
        protected boolean hasEnvoyHeaders() {
            return false;
        }

        @Override
        public void traceBy(RequestTrace decided) {}
    }
}
