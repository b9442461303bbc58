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
import io.weft.controlplane.identity.TokenAdmission;
import io.weft.controlplane.load.Destinations;
import io.weft.controlplane.load.LoadReportService;
import io.weft.controlplane.load.LoadWindow;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.registry.Registry.Transport;
import io.weft.controlplane.registry.SavedRegistration;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.registry.StateLock;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.source.FolderSource;
import io.weft.controlplane.source.Source;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.InvalidTokenException;
import io.weft.controlplane.token.RevokedTokens;
import io.weft.controlplane.token.TokenKey;
import io.weft.controlplane.xds.AdsServer;
import io.weft.controlplane.xds.MeshCompiler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

    private static final Duration CERTIFICATE_POLL = Duration.ofMinutes(1);

    /**
     * @param policies folder, must exist
     * @param state folder for what a restart needs; created when needed
     * @param listen port 0: any free one
     * @param grace how long a data plane whose stream broke is kept as unhealthy; above zero
     * @param tokens from whom one is demanded
     * @param tls absent: in clear text, for loopback and networks that are trusted
     */
    public record Settings(
            Path policies, Path state, InetSocketAddress listen, Duration grace, Tokens tokens, Optional<Tls> tls) {

        /** Of a network that fails both sides the data plane hears later, and then it has to come back first. */
        public static final Duration DEFAULT_GRACE = Duration.ofSeconds(45);

        /** The state beside the policies, in a folder that is not read as one. */
        public static Settings of(Path policies, InetSocketAddress listen) {
            return new Settings(policies, policies.resolve(".weft"), listen, DEFAULT_GRACE, Tokens.WHERE_IDENTITIES_ARE, Optional.empty());
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

    private final StateLock lock;
    private final ScheduledThreadPoolExecutor worker;
    private final ExecutorService stateWriter;
    private final ExecutorService requestThreads;
    private final Settings settings;
    private final Authorities authorities;
    /** Of the port; empty: it is in clear text. */
    private Optional<AdvancedTlsX509KeyManager> keys = Optional.empty();
    private final ServedCertificates certificates;
    private final RevokedTokens revoked;
    private final TokenKey tokenKey;
    private final Coalesced compile;
    private final Coalesced save;
    private final StateFile stateFile;
    private final Registry registry;
    private final LoadWindow load;
    private final AdsServer ads;
    private final Server server;
    private final Source source;
    private volatile PolicySet policies = PolicySet.EMPTY;
    private volatile boolean stateFailing;
    /** By mesh; guarded by this for writing. */
    private volatile Map<String, MeshSecurity> securities = Map.of();
    /** By mesh; what the load reports speak of. */
    private volatile Map<String, Destinations> destinations = Map.of();
    /** Why the last change of a mesh could not be taken over; guarded by this. */
    private final Map<String, String> securityFailures = new HashMap<>();
    /** Confined to the worker. */
    private ScheduledFuture<?> renewal;

    /**
     * Reads the folder, restores the state and listens.
     *
     * @throws IOException if the folder cannot be read, another control plane has this state, a mesh's CA, the tokens' key or the list of
     *     those that are revoked cannot be used, or the address cannot be bound
     */
    public static ControlPlane start(Settings settings) throws IOException {
        StateLock lock = StateLock.take(settings.state());
        try {
            return new ControlPlane(settings, lock);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private ControlPlane(Settings settings, StateLock lock) throws IOException {
        this.settings = settings;
        this.lock = lock;
        Clock clock = Clock.systemUTC();
        tokenKey = TokenKey.in(settings.state(), clock);
        revoked = RevokedTokens.in(settings.state());
        authorities = new Authorities(settings.state(), clock);
        certificates = new ServedCertificates(clock, new SecureRandom());
        worker = new ScheduledThreadPoolExecutor(1, threads("weft-control-plane"));
        worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        worker.setRemoveOnCancelPolicy(true);
        stateWriter = Executors.newSingleThreadExecutor(threads("weft-state"));
        requestThreads = Executors.newFixedThreadPool(
                Math.max(2, Runtime.getRuntime().availableProcessors()), threads("weft-ads"));
        compile = new Coalesced(worker, this::compile);
        save = new Coalesced(stateWriter, this::save);
        stateFile = new StateFile(settings.state());
        ResourceParser parser = new ResourceParser();
        NodeReader nodes = new NodeReader(parser);
        load = new LoadWindow(System::nanoTime);
        registry = new Registry(nodes, settings.grace(), System::nanoTime, worker, () -> {
            compile.request();
            save.request();
        });
        Admission admission = new TokenAdmission(this::demandsTokens, revoked::contains);
        ads = new AdsServer(registry, admission, worker, compile::request);
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
        server = port
                .addService(ads)
                .addService(new CertificateService(admission, this::security))
                .addService(new LoadReportService(
                        nodes, admission, mesh -> destinations.getOrDefault(mesh, Destinations.NONE), load))
                .intercept(new Bearer.Reader(tokenKey))
                .executor(requestThreads)
                .keepAliveTime(KEEPALIVE.toMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(KEEPALIVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .build();
        try {
            restore();
            source = new FolderSource(settings.policies(), parser);
            source.start(this::adopt);
        } catch (IOException e) {
            stopThreads();
            throw e;
        }
        Optional<String> unusable = securityFailure();
        if (unusable.isPresent()) {
            source.close();
            stopThreads();
            throw new IOException(unusable.get());
        }
        worker.scheduleWithFixedDelay(
                this::lookAtFiles, AUTHORITY_POLL.toMillis(), AUTHORITY_POLL.toMillis(), TimeUnit.MILLISECONDS);
        try {
            server.start();
            registry.open();
        } catch (IOException e) {
            source.close();
            stopThreads();
            throw e;
        }
    }

    private AdvancedTlsX509KeyManager keys(Tls tls) throws IOException {
        AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
        try {
            keys.updateIdentityCredentials(
                    tls.certificate().toFile(), tls.key().toFile(), CERTIFICATE_POLL.toMinutes(), TimeUnit.MINUTES, worker);
            return keys;
        } catch (GeneralSecurityException | IOException | RuntimeException e) {
            throw new IOException("the TLS certificate " + tls.certificate() + " with key " + tls.key()
                    + " (PEM, the key as unencrypted PKCS #8) cannot be used: " + e, e);
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

    /** The data planes of a mesh: those that policies describe, and those that are registered. */
    public List<Instance> instances(String mesh) {
        return instances(mesh, policies);
    }

    private List<Instance> instances(String mesh, PolicySet current) {
        List<Instance> instances = new ArrayList<>();
        for (Dataplane dataplane : current.all(Dataplane.class, mesh)) {
            instances.add(new Instance(dataplane, Health.HEALTHY, Transport.PLAINTEXT));
        }
        instances.addAll(registry.instances(mesh));
        return instances;
    }

    /** Whether a token proves its bearer to be an operator, and is not revoked. */
    public boolean isOperator(String token) {
        try {
            return !revoked.contains(tokenKey.verifyOperator(token));
        } catch (InvalidTokenException e) {
            return false;
        }
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
        try {
            List<SavedRegistration> saved = stateFile.read();
            if (!saved.isEmpty()) {
                registry.restore(saved);
                LOG.info("{} registrations restored from {}", saved.size(), stateFile.path());
            }
        } catch (IOException e) {
            LOG.warn("{} is not restored ({}); data planes register anew as they reconnect",
                    stateFile.path(), e.getMessage());
        }
    }

    private void save() {
        try {
            stateFile.write(registry.save());
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
        if (!next.sameResources(previous)) {
            LOG.info("policies in force: {}{}", next.inForce().size(),
                    next.outdated().isEmpty() ? "" : ", of an older version: " + next.outdated());
            // Before anyone can be admitted by what held before.
            secure();
            compile.request();
        }
    }

    /** Who is who in each mesh, from the policies and the authorities as they are now. */
    private synchronized void secure() {
        PolicySet current = policies;
        Set<String> meshes = new HashSet<>();
        current.inForce().forEach(document -> meshes.add(document.resource().metadata().mesh()));
        Map<String, MeshSecurity> next = new HashMap<>();
        for (String mesh : meshes) {
            List<String> failures = new ArrayList<>();
            next.put(mesh, MeshSecurity.of(mesh, current, authorities, security(mesh), failures::add));
            if (failures.isEmpty()) {
                securityFailures.remove(mesh);
                continue;
            }
            String all = String.join("; ", failures);
            if (!all.equals(securityFailures.put(mesh, all))) {
                LOG.error("mesh {}: {}", mesh, all);
            }
        }
        securities = Map.copyOf(next);
    }

    private synchronized Optional<String> securityFailure() {
        return securityFailures.values().stream().findFirst();
    }

    private MeshSecurity security(String mesh) {
        return securities.getOrDefault(mesh, MeshSecurity.NONE);
    }

    private boolean demandsTokens(String mesh) {
        return settings.tokens() == Tokens.ALWAYS || security(mesh).givesIdentities();
    }

    private void lookAtFiles() {
        // The time of day may have been set, and a machine that slept was not counted by the timers.
        if (revoked.changed() | (authorities.changed() || certificates.due())) {
            compile.request();
        }
    }

    private void compile() {
        secure();
        PolicySet current = policies;
        Map<String, MeshCompiler> compilers = new HashMap<>();
        for (String mesh : ads.meshes()) {
            List<MeshHttpRoute> routes = current.all(MeshHttpRoute.class, mesh).stream()
                    .filter(route -> !route.metadata().shadow())
                    .toList();
            MeshSecurity security = security(mesh);
            ServiceCatalog services =
                    ServiceCatalog.build(mesh, instances(mesh, current), current.all(MeshService.class, mesh), routes, security);
            compilers.put(mesh, new MeshCompiler(services, routes, security, certificates));
        }
        ads.publish(compilers);
        Map<String, Destinations> named = new HashMap<>();
        compilers.forEach((mesh, compiler) -> named.put(mesh, compiler.destinations()));
        destinations = Map.copyOf(named);
        certificates.retain(ads.nodes());
        planRenewal();
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
        lock.close();
    }

    private void stopThreads() {
        worker.shutdownNow();
        requestThreads.shutdown();
        stateWriter.shutdown();
        try {
            if (!stateWriter.awaitTermination(5, TimeUnit.SECONDS)) {
                LOG.warn("{} is still being written", stateFile.path());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
