package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.StateFile;
import io.weft.controlplane.source.Platform;
import io.weft.controlplane.source.Source;
import io.weft.controlplane.token.Authenticator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * A cluster. All state is in its API: this keeps nothing that another replica, or its own next life, could not read there, so any replica
 * serves any data plane.
 */
public final class ClusterPlatform implements Platform {

    /** Questions to the API server at once; a restart of a replica brings thousands, each of some milliseconds. */
    private static final int ASKING_THREADS = 8;
    private static final int MAX_WAITING = 20_000;
    private static final int WRITING_THREADS = 2;
    private static final int REQUEST_TIMEOUT_MS = 10_000;
    private static final String DEFAULT_NAMESPACE = "default";

    private final KubernetesClient client;
    private final ThreadPoolExecutor asking = threads("weft-token-review", ASKING_THREADS);
    private final ThreadPoolExecutor writing = threads("weft-cluster-write", WRITING_THREADS);
    private final ClusterState state = new ClusterState();
    private final ResourceParser parser;
    private final ClusterSource source;
    private final TokenReviews tokens;
    private final Authorities authorities;

    /**
     * @param kubeconfig absent: as a pod, or as {@code KUBECONFIG} says
     * @param namespace the control plane's own, where it keeps the roots of its CAs; absent: as the pod or the kubeconfig says
     * @param mesh of pods, Services and policies that do not say of which they are
     * @throws IOException nothing says where the API server is
     */
    public ClusterPlatform(
            Optional<Path> kubeconfig,
            Optional<String> namespace,
            String mesh,
            ScheduledExecutorService scheduler,
            Clock clock)
            throws IOException {
        Config config = config(kubeconfig);
        config.setRequestTimeout(REQUEST_TIMEOUT_MS);
        client = new KubernetesClientBuilder().withConfig(config).build();
        String own = namespace.or(() -> Optional.ofNullable(client.getNamespace())).orElse(DEFAULT_NAMESPACE);
        parser = new ResourceParser(new ResourceParser.Cluster(own, mesh));
        RootSecrets roots = new RootSecrets(client, own);
        source = new ClusterSource(
                client,
                own,
                new FactReader(mesh),
                state,
                roots,
                new MeshTlsConditions(client, state, writing, clock),
                new RouteStatusWriter(client, writing, clock),
                parser,
                scheduler);
        tokens = new TokenReviews(
                review -> client.authentication().v1().tokenReviews().create(review), asking, System::nanoTime, clock);
        authorities = new Authorities(roots::of, clock);
    }

    static Config config(Optional<Path> kubeconfig) throws IOException {
        if (kubeconfig.isEmpty()) {
            return Config.autoConfigure(null);
        }
        try {
            return Config.fromKubeconfig(kubeconfig.get().toFile());
        } catch (RuntimeException e) {
            throw new IOException("the kubeconfig " + kubeconfig.get() + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static ThreadPoolExecutor threads(String name, int number) {
        AtomicInteger count = new AtomicInteger();
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                number, number, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MAX_WAITING), task -> {
                    Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    @Override
    public Source source() {
        return source;
    }

    @Override
    public ResourceParser parser() {
        return parser;
    }

    @Override
    public Authenticator authenticator() {
        return tokens;
    }

    /** Kubernetes calls a pod's host as the pod. */
    @Override
    public Optional<String> replica() {
        return Optional.of(System.getenv().getOrDefault("HOSTNAME", "this one"));
    }

    /** Always demanded: a pod has one for nothing. */
    @Override
    public Admission admission(Predicate<String> demanded, BooleanSupplier ofAll) {
        return new PodAdmission(state);
    }

    /** Whoever operates a cluster does it by its API. */
    @Override
    public boolean isOperator(String token) {
        return false;
    }

    @Override
    public Authorities authorities() {
        return authorities;
    }

    /** What changes is a pod, of which the source tells. */
    @Override
    public boolean proofsChanged() {
        return false;
    }

    @Override
    public Optional<StateFile> registrations() {
        return Optional.empty();
    }

    @Override
    public void close() {
        asking.shutdownNow();
        writing.shutdownNow();
        client.close();
    }
}
