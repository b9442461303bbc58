package io.weft.controlplane;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.FolderWatcher;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import io.weft.controlplane.registry.SavedRegistration;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.xds.AdsServer;
import io.weft.controlplane.xds.MeshCompiler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

    /** How soon a peer that vanished without a word is missed, in sum. */
    private static final Duration KEEPALIVE = Duration.ofSeconds(10);
    private static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(5);

    /**
     * @param policies folder, must exist
     * @param state folder for what a restart needs; created when needed
     * @param listen port 0: any free one
     * @param grace how long a data plane whose stream broke is kept as unhealthy; above zero
     */
    public record Settings(Path policies, Path state, InetSocketAddress listen, Duration grace) {

        public static final Duration DEFAULT_GRACE = Duration.ofSeconds(10);

        /** The state beside the policies, in a folder that is not read as one. */
        public static Settings of(Path policies, InetSocketAddress listen) {
            return new Settings(policies, policies.resolve(".weft"), listen, DEFAULT_GRACE);
        }
    }

    private final ScheduledThreadPoolExecutor worker;
    private final ExecutorService stateWriter;
    private final ExecutorService requestThreads;
    private final Coalesced compile;
    private final Coalesced save;
    private final StateFile stateFile;
    private final Registry registry;
    private final AdsServer ads;
    private final Server server;
    private final FolderWatcher watcher;
    private volatile PolicySet policies = PolicySet.EMPTY;
    private volatile boolean stateFailing;

    /**
     * Reads the folder, restores the state and listens.
     *
     * @throws IOException if the folder cannot be read or the address cannot be bound
     */
    public static ControlPlane start(Settings settings) throws IOException {
        return new ControlPlane(settings);
    }

    private ControlPlane(Settings settings) throws IOException {
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
        registry = new Registry(new NodeReader(parser), settings.grace(), Clock.systemUTC(), worker, () -> {
            compile.request();
            save.request();
        });
        ads = new AdsServer(registry, worker, compile::request);
        server = NettyServerBuilder.forAddress(settings.listen())
                .addService(ads)
                .executor(requestThreads)
                .keepAliveTime(KEEPALIVE.toMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(KEEPALIVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .build();
        try {
            restore();
            PolicyHistory history = new PolicyHistory(parser);
            watcher = FolderWatcher.start(
                    new FolderReader(settings.policies()), contents -> adopt(history.update(contents)));
        } catch (IOException e) {
            stopThreads();
            throw e;
        }
        try {
            server.start();
        } catch (IOException e) {
            watcher.close();
            stopThreads();
            throw e;
        }
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
            compile.request();
        }
    }

    private void compile() {
        PolicySet current = policies;
        Map<String, MeshCompiler> compilers = new HashMap<>();
        for (String mesh : ads.meshes()) {
            List<MeshHttpRoute> routes = current.all(MeshHttpRoute.class, mesh).stream()
                    .filter(route -> !route.metadata().shadow())
                    .toList();
            List<Instance> instances = new ArrayList<>();
            for (Dataplane dataplane : current.all(Dataplane.class, mesh)) {
                instances.add(new Instance(dataplane, Health.HEALTHY));
            }
            instances.addAll(registry.instances(mesh));
            ServiceCatalog services =
                    ServiceCatalog.build(mesh, instances, current.all(MeshService.class, mesh), routes);
            compilers.put(mesh, new MeshCompiler(services, routes));
        }
        ads.publish(compilers);
    }

    /** Waits until {@link #close} was called. */
    public void awaitTermination() throws InterruptedException {
        server.awaitTermination();
    }

    /** Streams are cut; data planes go on with what they have. Their registrations are kept for the next life. */
    @Override
    public void close() throws IOException {
        registry.close();
        watcher.close();
        server.shutdownNow();
        try {
            // Streams end on the request threads, which have to be there for it.
            server.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        save.request();
        stopThreads();
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
