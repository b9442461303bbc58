package io.weft.agent.mesh;

import io.weft.agent.link.MeshAccess;
import io.weft.agent.log.AccessLogFiles;
import io.weft.agent.log.AgentLog;
import io.weft.agent.otlp.Outlet;
import io.weft.agent.otlp.Outlets;
import io.weft.agent.otlp.PolicyOutlets;
import io.weft.agent.otlp.Resource;
import io.weft.agent.otlp.Signal;
import io.weft.agent.settings.Settings;
import io.weft.agent.settings.Settings.ControlPlane.Kind;
import io.weft.agent.traces.SpanPush;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Faults;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundGuard;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.Outbound;
import io.weft.dataplane.Self;
import io.weft.dataplane.TimerThread;
import io.weft.dataplane.trace.Tracer;
import io.weft.policy.Dialect;
import io.weft.policy.PolicyClient;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyListener;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.identity.KeyType;
import io.weft.policy.model.AccessLog;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.MetricsPort;
import io.weft.policy.model.MetricsPush;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TelemetryService;
import io.weft.policy.model.TelemetryTarget;
import io.weft.policy.model.Tracing;
import io.weft.policy.netty.PrivateNetty;
import io.weft.transport.MeshTls;
import io.weft.upstream.NettyHealthProber;
import io.weft.upstream.NettyMirrorSender;
import io.weft.upstream.NettyUpstreamHttp;
import io.weft.upstream.UpstreamThread;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * The mesh in this JVM: policy in, decisions for the adapters out, and this instance's registration. Starts with the first
 * library that is in use: a JVM that needs no mesh pays for no stream to the control plane.
 */
public final class Mesh implements MeshAccess {

    /** Told once each; on the agent's or the policy client's thread. */
    public interface Listener {
        void running();

        void policyInForce();

        void serving();

        /** A policy has mesh TLS for what comes in; nothing has come in over it yet. */
        void securing();

        /** From now on metrics are to be read there, and nowhere else that policy said. Told when it changes. */
        void metricsAt(Set<MetricsPort> ports);

        /** From now on metrics are to be sent there, and nowhere else that policy said. Told when it changes. */
        void metricsTo(Set<MetricsPush> pushes);

        /** A policy has spans sent somewhere. */
        void tracing();
    }

    /**
     * What there is once the mesh has started.
     *
     * @param instance the name of this process to the control plane, and the same for as long as it lives
     * @param registered by which the control plane knows it now
     */
    public record Running(String instance, Supplier<String> registered, PolicyClient client, DataPlane dataPlane) {}

    private static final String BOOTSTRAP_FILE = "file";
    private static final Duration OUTAGE = Duration.ofSeconds(30);
    private static final Duration REMINDER = Duration.ofMinutes(10);
    /** For a control plane to tell callers that this instance goes: much more than it takes. */
    private static final long MOST_TO_HEAR_MILLIS = 500;

    private final Settings settings;
    private final ServicePorts servicePorts;
    private final Background background;
    private final AgentLog log;
    private final AtomicBoolean drained = new AtomicBoolean();
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicReference<DataPlane> dataPlane = new AtomicReference<>();
    private volatile Running running;
    /** Then others may have been told of this instance. */
    private volatile boolean wasConnected;
    private volatile AccessLogFiles accessLogs;
    /** Null: nothing is traced. */
    private volatile Traces traces;
    private volatile boolean appTraces;
    private final AtomicBoolean appTracesSaid = new AtomicBoolean();

    /** Confined to the background thread. */
    private boolean serves;

    public Mesh(Settings settings, ServicePorts servicePorts, Background background, AgentLog log) {
        this.settings = settings;
        this.servicePorts = servicePorts;
        this.background = background;
        this.log = log;
    }

    @Override
    public Outbound outbound() {
        return dataPlane();
    }

    @Override
    public Inbound inbound() {
        return dataPlane().inbound();
    }

    @Override
    public boolean late() {
        return servicePorts.late();
    }

    /** Waits for nobody: an app's thread that comes together with the agent's makes a second one, and the first is kept. */
    private DataPlane dataPlane() {
        DataPlane known = dataPlane.get();
        if (known == null) {
            Faults faults = new LoggedFaults(log);
            DataPlane made = DataPlane.start(settings.startupWait(), new TimerThread(faults), faults, self());
            AccessLogFiles files = new AccessLogFiles(faults);
            made.accessLogsTo(files);
            if (settings.admin().debugHeader() || settings.admin().decisions() > 0) {
                made.tellDecisions(settings.admin().debugHeader(), settings.admin().decisions(),
                        new DecisionLog(background, log, settings.admin().decisions() > 0));
            }
            if (settings.required()) {
                made.require();
            }
            if (settings.service().isPresent()) {
                made.inbound().guard(new InboundGuard(servicePorts, settings.startupWait(), settings.required()));
            }
            Traces traced = settings.otlp().isPresent() ? Traces.bySettings(made, settings.otlp().get(), this) : null;
            if (dataPlane.compareAndSet(null, made)) {
                accessLogs = files;
                traces = traced;
                if (appTraces) {
                    leaveToApp();
                }
            }
            known = dataPlane.get();
        }
        return known;
    }

    /** A class of its own, which a JVM without a collector never loads. */
    private record Traces(SpanPush spans, Tracer tracer) {

        static Traces bySettings(DataPlane made, Settings.Otlp otlp, Mesh mesh) {
            Optional<Outlet> outlet = Optional.of(new Outlets(mesh.background, mesh.log).toSetting(otlp.endpoint(), Signal.TRACES));
            SpanPush spans = new SpanPush(tracing -> outlet, () -> Resource.of(mesh.settings, mesh.instance()), mesh.log);
            Optional<Tracing> otherwise = otlp.sampling().isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Tracing(
                            new Tracing.Sampling(100, otlp.sampling().getAsDouble(), 100), Tracing.DEFAULT_MAX_PATH_LENGTH, List.of()));
            return new Traces(spans, made.trace(spans, tracing -> true, otherwise));
        }

        static Traces byPolicy(DataPlane dataPlane, Mesh mesh) {
            Outlets made = new Outlets(mesh.background, mesh.log);
            PolicyOutlets outlets = new PolicyOutlets(
                    service -> TelemetryTarget.of(mesh.running.client().snapshot(), service),
                    target -> made.toPolicy(target, Signal.TRACES, "the policy that has requests traced"));
            SpanPush spans = new SpanPush(
                    tracing -> tracing.collector().flatMap(outlets::of), () -> Resource.of(mesh.settings, mesh.instance()), mesh.log);
            return new Traces(spans, dataPlane.trace(spans, tracing -> tracing.collector().isPresent(), Optional.empty()));
        }
    }

    private String instance() {
        Running now = running;
        return now == null ? "" : now.instance();
    }

    /**
     * The app has a tracer of its own. From any thread; does not block.
     *
     * @param tracer what it is, for people
     */
    public void appTraces(String tracer) {
        appTraces = true;
        leaveToApp();
        if (appTracesSaid.compareAndSet(false, true)) {
            background.run("say that the app traces", () -> log.info("the app has a tracer of its own (" + tracer
                    + "): spans of what comes in, and of the first attempt of what it sends, are left to that"));
        }
    }

    /** From the first policy on that names a collector: most name none, and then requests pass no layer for it. What settings say counts before it. */
    private void traceByPolicy(PolicySnapshot snapshot, Listener listener) {
        if (traces == null && settings.otlp().isEmpty() && TelemetryService.isNamedIn(snapshot)) {
            traces = Traces.byPolicy(dataPlane(), this);
            if (appTraces) {
                leaveToApp();
            }
            listener.tracing();
        }
    }

    private void leaveToApp() {
        Traces known = traces;
        if (known != null) {
            known.tracer().appTraces();
        }
    }

    private Self self() {
        return new Self(
                new Locality("", settings.zone().orElse(""), ""),
                settings.address().orElse(null),
                settings.localCluster().orElse(null));
    }

    /** Or is about to. */
    public boolean isStarted() {
        return started.get();
    }

    /** Connects to the control plane, once; on the agent's thread, so it may be called from anywhere. */
    public void start(Listener listener) {
        if (started.compareAndSet(false, true)) {
            background.run("connect to the control plane", new Connect(listener));
        }
    }

    /** A class and not a lambda: made under class loading, where the first lambda of a JVM would cost the app most. */
    private final class Connect implements Runnable {
        private final Listener listener;

        Connect(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void run() {
            connect(listener);
        }
    }

    private void connect(Listener listener) {
        PrivateNetty.configure();
        dataPlane().onRefusal(new RefusalLog(background, log));
        UpstreamThread upstream = new UpstreamThread();
        dataPlane().requestsBy(new NettyUpstreamHttp(upstream));
        dataPlane().checksBy(new NettyHealthProber(upstream));
        dataPlane().mirrorsBy(new NettyMirrorSender(upstream));
        dataPlane().noticesTo(text -> background.run("say what is not done", () -> log.warnOnce(text, text)));
        dataPlane().secureBy(new MeshTls(listener::securing));
        dataPlane().resolveBy(InetAddress::getAllByName, new NameThreads());
        InboundPorts ports = dataPlane().inbound();
        ports.drainWithin(settings.drain().timeout());
        ports.measureBy(new JvmVitals(), task -> background.run("measure the load", task));
        Optional<GrpcBootstrap> bootstrap = bootstrap();
        Instance instance = instance(ports, bootstrap);
        PolicyClient client = PolicyClient.start(config(bootstrap), instance,
                new InForce(listener, news(), instance.namespace()));
        client.reportLoad(dataPlane());
        running = new Running(instance.name(), instance::registered, client, dataPlane());
        listener.running();
        log.debug("node " + instance.name());
        // The app's threads tell it; they only hand on.
        ports.onChange(open -> background.run("register", () -> {
            // To kuma-cp it is of the one by whose name this process is known until now.
            instance.health().ifPresent(client::health);
            client.update(instance);
            if (!serves && !open.isEmpty()) {
                serves = true;
                listener.serving();
            }
        }));
    }

    private PolicyNews news() {
        return new PolicyNews(background, log, OUTAGE, REMINDER, settings.controlPlane().orElseThrow().token());
    }

    private Optional<GrpcBootstrap> bootstrap() {
        String file = System.getenv(GrpcBootstrap.VARIABLE);
        if (file == null || file.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(GrpcBootstrap.read(Path.of(file)));
        } catch (IOException e) {
            log.warn(e.getMessage() + "; what it says is not known");
            return Optional.empty();
        }
    }

    private Instance instance(InboundPorts ports, Optional<GrpcBootstrap> bootstrap) {
        Settings.ControlPlane controlPlane = settings.controlPlane().orElseThrow();
        Optional<Path> token = controlPlane.tokenFile().map(Path::of);
        if (controlPlane.kind() != Kind.ISTIO) {
            Optional<Instance> pod = controlPlane.kind() == Kind.KUMA ? KumaPod.of(settings, Workload.claims(token, log)) : Optional.empty();
            return pod.orElseGet(() -> new InstanceDescription(settings, servicePorts, ports, suffix()));
        }
        Workload workload = Workload.of(System.getenv(), isNamedBy(bootstrap) ? bootstrap.get().metadata() : Map.of(), token, log);
        return new IstioSidecar(settings, workload, servicePorts, ports, suffix());
    }

    private static Dialect dialect(Kind kind, URI controlPlane) {
        return switch (kind) {
            case WEFT -> Dialect.XDS;
            case KUMA -> Dialect.KUMA;
            case ISTIO -> controlPlane.getScheme().equals("unix") ? Dialect.ISTIO_BY_AGENT : Dialect.ISTIO;
        };
    }

    private final class InForce implements PolicyListener {
        private final Listener listener;
        private final PolicyNews news;
        private final String namespace;
        private boolean hasPolicy;
        private boolean diskRead;
        /** As the control plane has them, and as this process may use them: the latter made once for each of the former. */
        private NameTable said = NameTable.EMPTY;
        private NameTable usable = NameTable.EMPTY;
        private Set<MetricsPort> metrics = Set.of();
        private Set<MetricsPush> pushes = Set.of();

        InForce(Listener listener, PolicyNews news, String namespace) {
            this.listener = listener;
            this.news = news;
            this.namespace = namespace;
        }

        @Override
        public void snapshot(PolicySnapshot snapshot) {
            if (snapshot.names() != said) {
                said = snapshot.names();
                usable = said.in(namespace);
            }
            traceByPolicy(snapshot, listener);
            dataPlane().apply(snapshot.with(usable));
            AccessLogFiles files = accessLogs;
            if (files != null) {
                files.keep(AccessLog.paths(snapshot));
            }
            if (log.isDebug()) {
                log.debug("policy " + snapshot.generation() + " is in force");
            }
            if (!hasPolicy) {
                hasPolicy = true;
                listener.policyInForce();
            }
            Set<MetricsPort> now = MetricsPort.of(snapshot);
            if (!now.equals(metrics)) {
                metrics = now;
                listener.metricsAt(now);
            }
            Set<MetricsPush> to = MetricsPush.of(snapshot);
            if (!to.equals(pushes)) {
                pushes = to;
                listener.metricsTo(to);
            }
        }

        @Override
        public void status(PolicyClientStatus status) {
            if (!diskRead) {
                // The client reads before it connects, and says nothing before that.
                diskRead = true;
                dataPlane().inbound().diskRead();
            }
            wasConnected |= status.connection() instanceof PolicyClientStatus.Connected;
            news.read(status);
        }
    }

    /** Not for secrets; a collision within a service would make two instances share one registration. */
    private static String suffix() {
        long seed = System.nanoTime() ^ System.currentTimeMillis() << 20 ^ ProcessHandle.current().pid() << 40;
        long random = new SplittableRandom(seed ^ System.identityHashCode(new Object())).nextLong();
        return Long.toHexString(random >>> 32 | 1L << 32).substring(1);
    }

    /** Whether it is the bootstrap that says where the control plane is, and so what this process is to it. */
    private boolean isNamedBy(Optional<GrpcBootstrap> bootstrap) {
        return bootstrap.isPresent() && settings.controlPlane().orElseThrow().uri().getScheme().equals(BOOTSTRAP_FILE);
    }

    private GrpcBootstrap.Server server(Optional<GrpcBootstrap> bootstrap) {
        URI uri = settings.controlPlane().orElseThrow().uri();
        if (!uri.getScheme().equals(BOOTSTRAP_FILE)) {
            return new GrpcBootstrap.Server(uri, Optional.empty(), Optional.empty());
        }
        try {
            if (bootstrap.isPresent()) {
                GrpcBootstrap.Server server = bootstrap.get().server();
                log.debug("the control plane is " + server.uri() + ", by " + uri);
                return server;
            }
        } catch (IOException e) {
            log.warn(e.getMessage());
        }
        log.warn("istiod is taken to be at " + Settings.ControlPlane.ISTIOD + ", as " + uri + " does not say where it is; else set weft.control-plane");
        return new GrpcBootstrap.Server(Settings.ControlPlane.ISTIOD, Optional.empty(), Optional.empty());
    }

    private PolicyClientConfig config(Optional<GrpcBootstrap> bootstrap) {
        Settings.ControlPlane controlPlane = settings.controlPlane().orElseThrow();
        GrpcBootstrap.Server server = server(bootstrap);
        return new PolicyClientConfig(server.uri(), dialect(controlPlane.kind(), server.uri()),
                controlPlane.caFile().map(Path::of).or(server::authorities),
                controlPlane.tokenFile().map(Path::of),
                controlPlane.clientCertificate().map(certificate -> new PolicyClientConfig.ClientCertificate(
                        Path.of(certificate), Path.of(controlPlane.clientKey().orElseThrow()))).or(server::certificate),
                settings.cacheDirectory().map(directory -> new PolicyClientConfig.Cache(Path.of(directory), sharers(settings))),
                identity(settings.identity(), bootstrap), PolicyClientConfig.INITIAL_BACKOFF,
                PolicyClientConfig.MAX_BACKOFF);
    }

    /** What else of its settings the control plane's policy for this process may depend on; other settings are another text. */
    static String sharers(Settings settings) {
        // No zone has a semicolon in it, no tag a comma, and no list of ports either.
        return settings.zone().orElse("") + ';' + tags(settings) + ';' + new TreeSet<>(settings.ports());
    }

    private static String tags(Settings settings) {
        StringBuilder tags = new StringBuilder();
        new TreeMap<>(settings.tags()).forEach((name, value) -> tags.append(name).append('=').append(value).append(','));
        return tags.toString();
    }

    private IdentityConfig identity(Settings.Identity identity, Optional<GrpcBootstrap> bootstrap) {
        KeyType type = switch (identity.keyType()) {
            case "rsa" -> KeyType.RSA_2048;
            case "ed25519" -> KeyType.ED25519;
            default -> KeyType.EC_P256;
        };
        IdentityConfig.Source source = new IdentityConfig.Requested();
        if (identity.directory().isPresent()) {
            source = new IdentityConfig.Directory(Path.of(identity.directory().get()));
        } else if (identity.workloadApi().isPresent()) {
            source = new IdentityConfig.FromWorkloadApi(identity.workloadApi().get());
        } else if (bootstrap.isPresent()) {
            try {
                source = bootstrap.get().identity().orElse(source);
            } catch (IOException e) {
                log.warn(e.getMessage() + "; a certificate is asked for at the control plane instead");
            }
        }
        return new IdentityConfig(type, source);
    }

    public InboundPorts ports() {
        return dataPlane().inbound();
    }

    /** Whether the control plane, or whoever else has certificates for it, has given this process one. */
    public boolean hasIdentity() {
        Running now = running;
        return now != null && now.client().snapshot().secrets().values().stream()
                .anyMatch(secret -> secret.name().startsWith(Secret.OWN_IDENTITY) && secret.content() instanceof Secret.Identity);
    }

    /** Empty before {@link #start}, and for a moment after it. */
    public Optional<Running> running() {
        return Optional.ofNullable(running);
    }

    /** Empty before {@link #start}, and for a moment after it. */
    public Optional<PolicyClientStatus> status() {
        Running now = running;
        return now == null ? Optional.empty() : Optional.of(now.client().status());
    }

    /**
     * Takes this instance out of the mesh before the app stops: deregisters, gives callers in the mesh the first part of the drain delay
     * to hear of it, tells all others by their connections, and when the delay is over waits for the requests in flight. Returns at once
     * when nothing is registered, and when it was called before.
     */
    public void drain() {
        DataPlane known = dataPlane.get();
        if (known == null || !isRegistered(known.inbound()) || !drained.compareAndSet(false, true)) {
            return;
        }
        InboundPorts ports = known.inbound();
        ports.beginDrain();
        try {
            long delay = settings.drain().delay().toMillis();
            long first = Math.min(delay / 2, MOST_TO_HEAR_MILLIS);
            Thread.sleep(first);
            ports.tellCallers();
            Thread.sleep(delay - first);
            if (!ports.awaitIdle(settings.drain().timeout())) {
                log.warn("stops with " + ports.inFlight() + " requests in flight: weft.drain.timeout ("
                        + settings.drain().timeout().toMillis() + " ms) is over");
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isRegistered(InboundPorts ports) {
        // Without the control plane, too: the others still send by the last policy that they have.
        boolean called = ports.ports().stream().anyMatch(port -> !port.draining());
        return settings.service().isPresent() && called && wasConnected;
    }

    /** Ends the stream; at most 300 ms. The last policy stays in force. */
    public void close() {
        Running now = running;
        if (now != null) {
            now.client().close();
        }
        AccessLogFiles logs = accessLogs;
        if (logs != null) {
            logs.close();
        }
        Traces told = traces;
        if (told != null) {
            told.spans().close();
        }
    }

    private static final class LoggedFaults implements Faults {
        private final AgentLog log;

        LoggedFaults(AgentLog log) {
            this.log = log;
        }

        @Override
        public void fault(String where, Throwable fault) {
            log.faultOnce(where, where + " failed", fault);
        }
    }
}
