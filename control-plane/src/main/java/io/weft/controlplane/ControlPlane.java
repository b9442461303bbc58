package io.weft.controlplane;

import io.grpc.Server;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.identity.CertificateService;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.identity.SettledAdmission;
import io.weft.controlplane.kubernetes.ClusterPlatform;
import io.weft.controlplane.load.Destinations;
import io.weft.controlplane.load.LoadReportService;
import io.weft.controlplane.load.LoadWindow;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.Mesh;
import io.weft.controlplane.policy.MeshIdentity;
import io.weft.controlplane.policy.MeshTrust;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.References;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.port.Connections;
import io.weft.controlplane.port.PortLimits;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.registry.SavedRegistration;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.source.FolderPlatform;
import io.weft.controlplane.source.Platform;
import io.weft.controlplane.source.Source;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.xds.AdsServer;
import io.weft.controlplane.xds.MadeResources;
import io.weft.controlplane.xds.MeshCompiler;
import io.weft.controlplane.xds.MeshDiff;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded control plane: policy files and what data planes say of themselves in, xDS out.
 *
 * <p>Files, streams and timers only note that something changed; one thread computes what everyone is to have and tells them,
 * so changes that come together are told together.
 */
public final class ControlPlane implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ControlPlane.class);

    /** How soon a peer that vanished without a word is missed: after this silence it is asked, and has this long to answer. */
    public static final Duration KEEPALIVE = Duration.ofSeconds(10);

    public static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(5);
    /** How soon a change of a CA's files, or of what tokens are revoked, is noticed. */
    private static final Duration AUTHORITY_POLL = Duration.ofSeconds(1);
    private static final Duration LONGEST_TIMER = Duration.ofDays(1);
    /** Of the resources that a reading changes. */
    private static final int MOST_TOLD = 5;

    private static final Duration CERTIFICATE_POLL = Duration.ofMinutes(1);

    /** Where resources come from, and where what has to be kept is kept. */
    public sealed interface Origin {}

    /**
     * @param policies must exist
     * @param state for what a restart needs; created when needed
     */
    public record Folder(Path policies, Path state) implements Origin {

        /** The state beside the policies, in a folder that is not read as one. */
        public static Folder of(Path policies) {
            return new Folder(policies, policies.resolve(".weft"));
        }
    }

    /**
     * @param kubeconfig absent: as a pod, or as {@code KUBECONFIG} says
     * @param namespace the control plane's own; absent: as the pod or the kubeconfig says
     * @param mesh of pods, Services and policies that do not say of which they are
     */
    public record Cluster(Optional<Path> kubeconfig, Optional<String> namespace, String mesh) implements Origin {}

    /**
     * @param listen port 0: any free one
     * @param grace how long a data plane whose stream broke is kept as unhealthy; above zero
     * @param tokens from whom one is demanded; in a cluster from all
     * @param tls absent: in clear text, for loopback and networks that are trusted
     * @param limits of the port
     */
    public record Settings(
            Origin origin, InetSocketAddress listen, Duration grace, Tokens tokens, Optional<Tls> tls, PortLimits limits) {

        /** Of a network that fails both sides the data plane hears later, and then it has to come back first. */
        public static final Duration DEFAULT_GRACE = Duration.ofSeconds(45);

        public static Settings of(Path policies, InetSocketAddress listen) {
            return new Settings(Folder.of(policies), listen, DEFAULT_GRACE, Tokens.WHERE_IDENTITIES_ARE, Optional.empty(),
                    PortLimits.of(PortLimits.INSTANCES));
        }
    }

    /** PEM files of the port itself, the key as PKCS #8; looked at again from time to time. */
    public record Tls(Path certificate, Path key) {}

    /** Who has to prove by a token who it is. */
    public enum Tokens {
        /** The data planes of meshes that give identities. */
        WHERE_IDENTITIES_ARE,
        /** All data planes. */
        ALWAYS
    }

    private final Platform platform;
    private final ScheduledThreadPoolExecutor worker;
    private final ExecutorService stateWriter;
    private final ExecutorService requestThreads;
    private final Settings settings;
    private final Authorities authorities;
    /** Of the port; empty: it is in clear text. */
    private Optional<AdvancedTlsX509KeyManager> keys = Optional.empty();
    private final ServedCertificates certificates;
    private final Coalesced compile;
    private final Coalesced save;
    private final Optional<StateFile> stateFile;
    private final Registry registry;
    private final LoadWindow load;
    private final AdsServer ads;
    private final Connections connections;
    private final Server server;
    private final Source source;
    private final WithoutEffect withoutEffect = new WithoutEffect(this::running, LOG::info);
    private volatile PolicySet policies = PolicySet.EMPTY;
    private volatile boolean stateFailing;
    /** By mesh; guarded by this for writing. */
    private volatile Map<String, MeshSecurity> securities = Map.of();
    /** By mesh; what the load reports speak of. */
    private volatile Map<String, Supplier<Destinations>> destinations = Map.of();
    /** By mesh of which it was never known here who is who, why not; guarded by this for writing. */
    private volatile Map<String, String> closed = Map.of();
    /** Why the last change of a mesh could not be taken over; guarded by this. */
    private final Map<String, String> securityFailures = new HashMap<>();
    /** Confined to the worker. */
    private ScheduledFuture<?> renewal;
    /** By mesh; confined to the worker. */
    private final Map<String, MadeResources> endpoints = new HashMap<>();

    /**
     * Reads what there is, restores the state and listens.
     *
     * @throws IOException if the folder or the cluster cannot be read, another control plane has this state, a mesh's CA, the tokens' key
     *     or the list of those that are revoked cannot be used, or the address cannot be bound
     */
    public static ControlPlane start(Settings settings) throws IOException {
        Clock clock = Clock.systemUTC();
        ScheduledThreadPoolExecutor worker = new ScheduledThreadPoolExecutor(1, threads("weft-control-plane"));
        worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        worker.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
        worker.setRemoveOnCancelPolicy(true);
        Platform platform = null;
        try {
            platform = settings.origin() instanceof Cluster cluster
                    ? new ClusterPlatform(cluster.kubeconfig(), cluster.namespace(), cluster.mesh(), worker, clock)
                    : folder((Folder) settings.origin(), clock);
            return new ControlPlane(settings, platform, worker, clock);
        } catch (IOException | RuntimeException e) {
            worker.shutdownNow();
            if (platform != null) {
                platform.close();
            }
            throw e;
        }
    }

    private static Platform folder(Folder folder, Clock clock) throws IOException {
        return new FolderPlatform(folder.policies(), folder.state(), clock);
    }

    private ControlPlane(
            Settings settings, Platform platform, ScheduledThreadPoolExecutor worker, Clock clock)
            throws IOException {
        this.settings = settings;
        this.platform = platform;
        this.worker = worker;
        source = platform.source();
        authorities = platform.authorities();
        certificates = new ServedCertificates(clock, new SecureRandom());
        stateWriter = Executors.newSingleThreadExecutor(threads("weft-state"));
        requestThreads = Executors.newFixedThreadPool(
                Math.max(2, Runtime.getRuntime().availableProcessors()), threads("weft-ads"));
        compile = new Coalesced(worker, this::compile);
        save = new Coalesced(stateWriter, this::save);
        stateFile = platform.registrations();
        NodeReader nodes = new NodeReader(platform.parser());
        load = new LoadWindow(System::nanoTime);
        registry = new Registry(nodes, settings.grace(), System::nanoTime, worker, () -> {
            compile.request();
            save.request();
        });
        Admission admission = new SettledAdmission(
                platform.admission(this::demandsTokens, this::demandsTokensOfAll), mesh -> Optional.ofNullable(closed.get(mesh)));
        ads = new AdsServer(registry, admission, settings.limits(), worker, compile::request);
        connections = new Connections(settings.limits(), Runtime.getRuntime().maxMemory());
        NettyServerBuilder port = NettyServerBuilder.forAddress(settings.listen());
        if (settings.tls().isPresent()) {
            try {
                keys = Optional.of(keys(settings.tls().get()));
                port.sslContext(
                        GrpcSslContexts.configure(SslContextBuilder.forServer(keys.get()), SslProvider.JDK).build());
            } catch (IOException e) {
                stopThreads();
                throw e;
            }
        }
        connections.guard(port, requestThreads);
        server = port
                .addService(ads)
                .addService(new CertificateService(admission, this::security))
                .addService(new LoadReportService(
                        nodes, admission, mesh -> destinations.getOrDefault(mesh, () -> Destinations.NONE).get(), load, worker,
                        settings.limits().firstRequest()))
                .intercept(new Bearer.Reader(platform.authenticator()))
                .intercept(connections.interceptor())
                .keepAliveTime(KEEPALIVE.toMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(KEEPALIVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .build();
        try {
            restore();
            source.start(new Source.Listener() {
                @Override
                public void policies(PolicySet policies) {
                    adopt(policies);
                }

                @Override
                public void services() {
                    compile.request();
                }
            });
        } catch (IOException e) {
            stopThreads();
            throw e;
        }
        Optional<String> unusable = closed.values().stream().findFirst();
        // In a cluster others have meshes here, too, and what is not in order may be put in order by somebody else.
        if (unusable.isPresent() && settings.origin() instanceof Folder) {
            source.close();
            stopThreads();
            throw new IOException(unusable.get());
        }
        worker.scheduleWithFixedDelay(
                this::look, AUTHORITY_POLL.toMillis(), AUTHORITY_POLL.toMillis(), TimeUnit.MILLISECONDS);
        try {
            server.start();
            registry.open();
            worker.schedule(() -> withoutEffect.unmet(policies), Registry.RETURN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (IOException e) {
            source.close();
            stopThreads();
            throw e;
        }
    }

    private AdvancedTlsX509KeyManager keys(Tls tls) throws IOException {
        for (Path file : List.of(tls.certificate(), tls.key())) {
            if (!Files.isReadable(file) || Files.isDirectory(file)) {
                throw new IOException("the TLS certificate " + tls.certificate() + " with key " + tls.key() + " cannot be used: " + file
                        + (Files.exists(file) ? " cannot be read by this user" : " is not there"));
            }
        }
        AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
        try {
            keys.updateIdentityCredentials(
                    tls.certificate().toFile(), tls.key().toFile(), CERTIFICATE_POLL.toMinutes(), TimeUnit.MINUTES, worker);
            Instant end = end(tls.certificate());
            if (end.isBefore(Instant.now())) {
                LOG.warn("the TLS certificate {} has expired on {}: agents do not connect; put a new one there, it is looked at every minute",
                        tls.certificate(), end);
            }
            return keys;
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw new IOException("the TLS certificate " + tls.certificate() + " with key " + tls.key()
                    + " (PEM, the key as unencrypted PKCS #8) cannot be used: " + e, e);
        }
    }

    private static Instant end(Path certificate) throws IOException, CertificateException {
        try (InputStream in = Files.newInputStream(certificate)) {
            return ((X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in)).getNotAfter().toInstant();
        }
    }

    /** For whatever else this control plane serves, with the certificate of its port; empty: that is in clear text. */
    public Optional<SSLContext> tls() {
        return keys.map(own -> {
            try {
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(new KeyManager[] {own}, null, null);
                return context;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every Java platform has TLS", e);
            }
        });
    }

    private static ThreadFactory threads(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** The port that is listened on. */
    public int port() {
        return server.getPort();
    }

    /** What is in force, and what was refused. */
    public PolicySet policies() {
        return policies;
    }

    /** Who is connected, and what they refused. */
    public List<AdsServer.Connected> connected() {
        return ads.connected();
    }

    /** Which of several control planes of the same meshes this is, each with its own data planes; empty: it is the only one. */
    public Optional<String> replica() {
        return platform.replica();
    }

    /** The data planes of a mesh: those that policies or a cluster describe, and those that are registered. */
    public List<Instance> instances(String mesh) {
        return source.instances(mesh, policies, registry.instances(mesh), security(mesh));
    }

    /** Whom policies can name: everybody who is there, also those who only call others. */
    public References.Known running() {
        Set<String> meshes = new TreeSet<>(ads.meshes());
        policies.inForce().forEach(each -> meshes.add(each.resource().metadata().mesh()));
        Map<String, Map<String, List<Map<String, String>>>> known = new HashMap<>();
        for (String mesh : meshes) {
            for (Instance instance : instances(mesh)) {
                for (Dataplane.Inbound inbound : instance.dataplane().inbounds()) {
                    known.computeIfAbsent(mesh, first -> new HashMap<>())
                            .computeIfAbsent(inbound.tags().getOrDefault(Labels.SERVICE, ""), first -> new ArrayList<>())
                            .add(inbound.tags());
                }
            }
        }
        for (AdsServer.Connected each : connected()) {
            if (!each.node().workload().shown().isEmpty()) {
                known.computeIfAbsent(each.node().mesh(), first -> new HashMap<>()).putIfAbsent(each.node().workload().shown(), List.of());
            }
        }
        return new References.Known(known, !known.isEmpty());
    }

    /** Whether a token proves its bearer to be an operator, and is not revoked. */
    public boolean isOperator(String token) {
        return platform.isOperator(token);
    }

    /** Whether anybody in a mesh gets an identity. */
    public boolean givesIdentities(String mesh) {
        return security(mesh).givesIdentities();
    }

    /** What callers have reported of late. */
    public LoadWindow load() {
        return load;
    }

    private void restore() {
        if (stateFile.isEmpty()) {
            return;
        }
        StateFile file = stateFile.get();
        try {
            List<SavedRegistration> saved = file.read();
            if (!saved.isEmpty()) {
                registry.restore(saved);
                LOG.info("{} registrations restored from {}", saved.size(), file.path());
            }
        } catch (IOException e) {
            LOG.warn("{} is not restored ({}); data planes register anew as they reconnect",
                    file.path(), e.getMessage());
        }
    }

    private void save() {
        if (stateFile.isEmpty()) {
            return;
        }
        try {
            stateFile.get().write(registry.save());
            stateFailing = false;
        } catch (IOException e) {
            if (!stateFailing) {
                LOG.warn("registrations cannot be saved ({}); until they can, a restart begins without them."
                        + " Choose another folder with --state-dir", e.toString());
            }
            stateFailing = true;
        }
    }

    private void adopt(PolicySet next) {
        PolicySet previous = policies;
        policies = next;
        Set<Problem> known = new HashSet<>(previous.problems());
        for (Problem problem : next.problems()) {
            if (!known.contains(problem)) {
                LOG.warn("refused: {}", problem);
            }
        }
        Set<String> mended = files(previous.problems());
        mended.removeAll(files(next.problems()));
        mended.forEach(file -> LOG.info("no longer refused: {}", file));
        next.outdated().stream()
                .filter(id -> !previous.outdated().contains(id))
                .forEach(id -> LOG.warn("{} stays in force as it was before", id));
        if (!next.sameResources(previous)) {
            LOG.info("policies in force: {}{}{}", next.inForce().size(), changes(next.changedFrom(previous)),
                    next.outdated().isEmpty() ? "" : ", of an older version: " + next.outdated());
            // Before anyone can be admitted by what held before.
            secure();
            compile.request();
            withoutEffect.changed(previous, next);
        }
    }

    private static String changes(List<ResourceId> ids) {
        return ", changed: " + ids.stream().limit(MOST_TOLD).map(ResourceId::toString).collect(Collectors.joining(", "))
                + (ids.size() > MOST_TOLD ? " and " + (ids.size() - MOST_TOLD) + " more" : "");
    }

    private static Set<String> files(List<Problem> problems) {
        return problems.stream().map(Problem::file).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Who is who in each mesh, from the policies and the authorities as they are now. */
    private synchronized void secure() {
        PolicySet current = policies;
        Set<String> meshes = new HashSet<>();
        current.inForce().forEach(document -> meshes.add(document.resource().metadata().mesh()));
        Map<String, MeshSecurity> next = new HashMap<>();
        Map<String, String> nextClosed = new HashMap<>();
        for (String mesh : meshes) {
            List<String> failures = new ArrayList<>();
            MeshSecurity last = security(mesh);
            MeshSecurity now = MeshSecurity.of(mesh, current, authorities, last, failures::add);
            // What is made from it need not be made anew.
            next.put(mesh, now.sameAs(last) ? last : now);
            if (failures.isEmpty()) {
                securityFailures.remove(mesh);
                continue;
            }
            String all = String.join("; ", failures);
            // Of a mesh that is served without any document it is known, too: nobody is anybody.
            boolean known = !closed.containsKey(mesh) && (securities.containsKey(mesh) || ads.meshes().contains(mesh));
            if (!known) {
                nextClosed.put(mesh, all);
            }
            if (!all.equals(securityFailures.put(mesh, all))) {
                LOG.error("mesh {}{}: {}", mesh, known ? "" : " is closed until it is known who is who in it", all);
            }
        }
        securityFailures.keySet().retainAll(meshes);
        // Closed before it can be asked for, and opened after.
        closed = joined(closed, nextClosed);
        securities = Map.copyOf(next);
        closed = Map.copyOf(nextClosed);
    }

    private static Map<String, String> joined(Map<String, String> some, Map<String, String> others) {
        Map<String, String> all = new HashMap<>(some);
        all.putAll(others);
        return Map.copyOf(all);
    }

    private MeshSecurity security(String mesh) {
        return securities.getOrDefault(mesh, MeshSecurity.NONE);
    }

    private boolean demandsTokens(String mesh) {
        if (settings.tokens() == Tokens.ALWAYS) {
            return true;
        }
        Map<String, MeshSecurity> described = securities;
        MeshSecurity security = described.get(mesh);
        // Who may be nobody in a mesh that nobody speaks of could be so as often as he likes, beside those that are guarded.
        return security == null
                ? described.values().stream().anyMatch(MeshSecurity::givesIdentities)
                : security.givesIdentities();
    }

    private boolean demandsTokensOfAll() {
        Map<String, MeshSecurity> described = securities;
        return settings.tokens() == Tokens.ALWAYS
                || !described.isEmpty() && described.values().stream().allMatch(MeshSecurity::givesIdentities);
    }

    private void look() {
        try {
            lookAtFiles();
        } catch (RuntimeException e) {
            // Thrown further it would never be called again.
            LOG.error("a look at the CAs and tokens failed; it is repeated. Please report this", e);
        }
    }

    private void lookAtFiles() {
        // The time of day may have been set, and a machine that slept was not counted by the timers.
        if (platform.proofsChanged() | (authorities.changed() || certificates.due())) {
            compile.request();
        }
        if (isFailing()) {
            Map<String, MeshSecurity> before = securities;
            Set<String> closedBefore = closed.keySet();
            secure();
            if (!closed.keySet().equals(closedBefore) || !securities.equals(before)) {
                compile.request();
            }
        }
    }

    private synchronized boolean isFailing() {
        return !securityFailures.isEmpty();
    }

    private void compile() {
        secure();
        PolicySet current = policies;
        Map<String, MeshCompiler> compilers = new HashMap<>();
        for (String mesh : ads.meshes()) {
            try {
                compilers.put(mesh, compiler(
                        mesh, current, security(mesh), certificates, endpoints.computeIfAbsent(mesh, key -> new MadeResources())));
            } catch (RuntimeException e) {
                LOG.error("mesh {} could not be compiled; its data planes keep what they have. Please report this", mesh, e);
            }
        }
        ads.publish(compilers);
        endpoints.keySet().retainAll(compilers.keySet());
        Map<String, Supplier<Destinations>> named = new HashMap<>();
        compilers.forEach((mesh, compiler) -> named.put(mesh, compiler.destinationsOnceAsked()));
        destinations = Map.copyOf(named);
        certificates.retain(ads.nodes());
        planRenewal();
    }

    private MeshCompiler compiler(
            String mesh, PolicySet set, MeshSecurity security, ServedCertificates served, MadeResources made) {
        AppliedPolicies applied = AppliedPolicies.of(set, mesh);
        ServiceCatalog services = source.services(mesh, set, registry.instances(mesh), applied.routes(), security);
        return new MeshCompiler(services, applied, security, served, made);
    }

    /** What would change for the data planes that are connected if these were all the policies. Changes nothing. */
    public PolicyDiff diff(List<SourceText> texts) {
        PolicySet now = policies;
        PolicySet read = new PolicyHistory(platform.parser()).update(texts);
        PolicySet next = withLastGood(read, now);
        List<String> documents = new ArrayList<>();
        Map<ResourceId, Resource> before = byId(now);
        Map<ResourceId, Resource> after = byId(next);
        Set<ResourceId> ids = new TreeSet<>(Comparator.comparing(ResourceId::toString));
        ids.addAll(before.keySet());
        ids.addAll(after.keySet());
        for (ResourceId id : ids) {
            if (!Objects.equals(before.get(id), after.get(id))) {
                documents.add((!before.containsKey(id) ? "+ " : after.containsKey(id) ? "~ " : "- ") + id);
            }
        }
        ServedCertificates unserved = new ServedCertificates(Clock.systemUTC(), new SecureRandom());
        List<PolicyDiff.Mesh> meshes = new ArrayList<>();
        for (String mesh : new TreeSet<>(ads.meshes())) {
            List<ClientNode> nodes = connected().stream()
                    .map(AdsServer.Connected::node)
                    .filter(node -> node.mesh().equals(mesh))
                    .toList();
            boolean identities = !identities(now, mesh).equals(identities(next, mesh));
            PolicySet comparable = identities ? withIdentitiesOf(next, now, mesh) : next;
            List<MeshDiff.Change> changes = MeshDiff.between(
                    compiler(mesh, now, security(mesh), unserved, new MadeResources()),
                    compiler(mesh, comparable, securityOf(mesh, comparable), unserved, new MadeResources()),
                    nodes);
            if (identities || !changes.isEmpty()) {
                meshes.add(new PolicyDiff.Mesh(mesh, identities, changes));
            }
        }
        return new PolicyDiff(read.problems(), documents, meshes);
    }

    /** Of a file with a problem, what was in force stays so. */
    private static PolicySet withLastGood(PolicySet read, PolicySet now) {
        Set<String> troubled = new HashSet<>();
        read.problems().forEach(problem -> troubled.add(problem.file()));
        Map<ResourceId, Resource> known = byId(read);
        List<PolicySet.Sourced> all = new ArrayList<>(read.inForce());
        now.inForce().stream()
                .filter(old -> troubled.contains(old.file()) && !known.containsKey(old.resource().metadata().id()))
                .forEach(all::add);
        return new PolicySet(all, List.of(), read.problems());
    }

    private static Map<ResourceId, Resource> byId(PolicySet set) {
        Map<ResourceId, Resource> byId = new HashMap<>();
        set.inForce().forEach(each -> byId.put(each.resource().metadata().id(), each.resource()));
        return byId;
    }

    /** Whether the data planes of a mesh have identities, and which, hangs on these alone; to read others would make keys. */
    private static boolean isIdentity(Resource resource) {
        return resource instanceof MeshIdentity || resource instanceof MeshTrust || resource instanceof Mesh;
    }

    private static Set<Resource> identities(PolicySet set, String mesh) {
        Set<Resource> identities = new HashSet<>();
        set.inForce().stream()
                .map(PolicySet.Sourced::resource)
                .filter(resource -> isIdentity(resource) && resource.metadata().mesh().equals(mesh))
                .forEach(identities::add);
        return identities;
    }

    private static PolicySet withIdentitiesOf(PolicySet set, PolicySet other, String mesh) {
        List<PolicySet.Sourced> all = new ArrayList<>();
        set.inForce().stream().filter(each -> !isIdentity(each.resource())).forEach(all::add);
        other.inForce().stream()
                .filter(each -> isIdentity(each.resource()) && each.resource().metadata().mesh().equals(mesh))
                .forEach(all::add);
        return new PolicySet(all, List.of(), List.of());
    }

    private synchronized MeshSecurity securityOf(String mesh, PolicySet set) {
        return MeshSecurity.of(mesh, set, authorities, security(mesh), failure -> LOG.debug("compared without: {}", failure));
    }

    /** Certificates and rotations do not wait for somebody to change a policy. */
    private void planRenewal() {
        if (renewal != null) {
            renewal.cancel(false);
        }
        renewal = Stream.of(certificates.nextRenewal(), authorities.due())
                .flatMap(Optional::stream)
                .min(Instant::compareTo)
                .<ScheduledFuture<?>>map(next -> worker.schedule(
                        compile::request,
                        untilRenewal(next).toMillis(),
                        TimeUnit.MILLISECONDS))
                .orElse(null);
    }

    /** What is overdue could not be done; it is tried again, but not at once. */
    private static Duration untilRenewal(Instant next) {
        Duration left = Duration.between(Instant.now(), next);
        if (left.isNegative()) {
            return AUTHORITY_POLL;
        }
        return left.compareTo(LONGEST_TIMER) > 0 ? LONGEST_TIMER : left.plusMillis(1);
    }

    /** Waits until {@link #close} was called. */
    public void awaitTermination() throws InterruptedException {
        server.awaitTermination();
    }

    /** Streams are cut; data planes go on with what they have. Their registrations are kept for the next life. */
    @Override
    public void close() throws IOException {
        registry.close();
        source.close();
        server.shutdownNow();
        try {
            // Streams end on the request threads, which have to be there for it.
            server.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        save.request();
        stopThreads();
        platform.close();
    }

    private void stopThreads() {
        connections.close();
        worker.shutdownNow();
        requestThreads.shutdown();
        stateWriter.shutdown();
        try {
            if (!stateWriter.awaitTermination(5, TimeUnit.SECONDS)) {
                LOG.warn("registrations are still being written");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
