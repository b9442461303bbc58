package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import io.weft.policy.ClientStatus;
import io.weft.policy.DaemonThreads;
import io.weft.policy.Health;
import io.weft.policy.NodeSource;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Connecting;
import io.weft.policy.PolicyClientStatus.Variant;
import io.weft.policy.PolicyListener;
import io.weft.policy.cache.CacheKey;
import io.weft.policy.cache.ResourceCache;
import io.weft.policy.load.LoadSource;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceParser;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import io.weft.policy.snapshot.SnapshotAssembler;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A running policy client: the thread, and on it the stream, what it brought, and the cache. Methods may be called from any
 * thread.
 */
public final class PolicySubscription {
    private static final Duration CACHE_QUIET = Duration.ofSeconds(1);

    private final PolicyClientConfig config;
    private final Environment environment;
    private final PolicyListener listener;
    private final ClientThread thread;
    private final SnapshotAssembler assembler;
    private final Intake intake;

    private volatile PolicySnapshot snapshot = PolicySnapshot.empty();
    private volatile PolicyClientStatus status;
    private volatile Optional<String> problem = Optional.empty();

    // The thread's own from here on; null before it has begun.
    private AdsClient client;
    private PublicationGate gate;
    private EventLoop loop;
    private NodeSource nodes;
    private OwnIdentities identities;
    private Optional<LoadReporter> loadReporter = Optional.empty();
    private Optional<String> identityProblem = Optional.empty();
    /** What the control plane is to know as soon as the policy that comes with it is in force; null: it knows. */
    private String unsaidIdentity;
    private Optional<Cache> cache = Optional.empty();
    /** The policy from disk; null: there is none, or the control plane's has taken its place. */
    private PolicySnapshot restored;
    /** The end of its waiting for the certificate that it asks for; null: it does not wait, or no longer. */
    private Future<?> restoredWait;

    private record Cache(ResourceCache file, ScheduledThreadPoolExecutor writer) {}

    /** @throws IllegalArgumentException the control plane's URI is none that {@link PolicyClientConfig} has */
    public PolicySubscription(
            PolicyClientConfig config, NodeSource nodes, Environment environment, PolicyListener listener) {
        GrpcServer.controlPlane(config.controlPlane());
        this.config = config;
        this.environment = environment;
        this.listener = listener;
        this.assembler = new SnapshotAssembler(config.dialect());
        this.intake = new Intake(assembler, config.identity().names(), environment.clock());
        this.status = new PolicyClientStatus(
                new Connecting(environment.clock().instant()), Variant.DELTA, "", Map.of(), List.of(), Optional.empty(),
                Optional.empty());
        this.thread = new ClientThread(loop -> begin(loop, nodes), this::failed);
    }

    public void start() {
        thread.start();
    }

    public PolicySnapshot snapshot() {
        return snapshot;
    }

    public PolicyClientStatus status() {
        return status;
    }

    /** Fails when the client is closed. */
    public CompletableFuture<ClientStatus> clientStatus() {
        return onThread(() -> {
            Node node = client.said();
            return new ClientStatus(node.getId(), node.getCluster(), held().stream().map(HeldResources.Held::status).toList());
        });
    }

    /** Fails when the client is closed, or with an {@link IllegalArgumentException}. */
    public CompletableFuture<byte[]> clientStatus(byte[] request) {
        return onThread(() -> ClientStatusMessage.response(client.said(), held(), ClientStatusMessage.wantsContents(request)));
    }

    /** Fails when the client is closed. */
    public CompletableFuture<byte[]> configDump() {
        return onThread(() -> new ConfigDumpMessage(client.said(), held(), snapshot.secrets()).bytes());
    }

    /** The same as an Envoy's JSON, once somebody makes it. Fails when the client is closed. */
    public CompletableFuture<Supplier<String>> configDumpJson() {
        return onThread(() -> {
            ConfigDumpMessage dump = new ConfigDumpMessage(client.said(), held(), snapshot.secrets());
            return dump::json;
        });
    }

    private List<HeldResources.Held> held() {
        return new HeldResources(assembler, intake).list();
    }

    private <T> CompletableFuture<T> onThread(Supplier<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        boolean runs = thread.execute(() -> {
            try {
                answer.complete(question.get());
            } catch (RuntimeException | Error fault) {
                answer.completeExceptionally(fault);
            }
        });
        if (!runs) {
            answer.completeExceptionally(new IllegalStateException("the policy client is closed"));
        }
        return answer;
    }

    public void announce(NodeSource nodes) {
        thread.execute(() -> {
            this.nodes = nodes;
            client.announce(nodes);
            loadReporter.ifPresent(reporter -> reporter.announce(nodes));
        });
    }

    public void health(Health health) {
        thread.execute(() -> client.health(health));
    }

    public void reportLoad(LoadSource source) {
        thread.execute(() -> {
            loadReporter.ifPresent(LoadReporter::stop);
            LoadReporter reporter = new LoadReporter(loop, config, nodes, source, environment);
            loadReporter = Optional.of(reporter);
            followLoad(reporter, snapshot);
        });
    }

    private static void followLoad(LoadReporter reporter, PolicySnapshot snapshot) {
        reporter.follow(snapshot.clusters().values().stream()
                .filter(Cluster::reportsLoad)
                .map(Cluster::name)
                .collect(Collectors.toSet()));
    }

    /** @throws InterruptedException the stream ends nevertheless */
    public void close(Duration patience) throws InterruptedException {
        thread.stop(() -> {
            if (identities != null) {
                identities.stop();
            }
            loadReporter.ifPresent(LoadReporter::stop);
            client.close();
            cache.ifPresent(open -> {
                open.file().flush();
                open.writer().shutdownNow();
            });
        }, patience);
    }

    private void begin(EventLoop loop, NodeSource nodes) {
        this.loop = loop;
        this.nodes = nodes;
        gate = new PublicationGate(assembler, ResourceType.NAMES.isAskedOf(config.dialect()), loop, environment, this::publish);
        client = new AdsClient(loop, config, nodes, intake, environment, new AdsClient.Observer() {
            @Override
            public void responded() {
                // Before the policy is shown, which waits for it.
                provideIdentity();
                gate.changed();
            }

            @Override
            public void changed() {
                showStatus();
            }
        });
        try {
            config.cache().ifPresent(where -> restore(where, nodes));
        } catch (RuntimeException e) {
            problem("the cached policy cannot be used: " + e);
        }
        provideIdentity();
        client.connect();
    }

    /** Not before a policy asks for it: a mesh without TLS costs no key. */
    private void provideIdentity() {
        if (identities == null && assembler.asksForProvider()) {
            identities = new OwnIdentities(loop, config, environment, new OwnIdentities.Observer() {
                @Override
                public void changed(Map<String, Secret> own) {
                    assembler.provide(own);
                    if (restored != null) {
                        restored = restored.withSecrets(own);
                        showRestored();
                    }
                    gate.changed();
                }

                @Override
                public void identified(String spiffeId) {
                    unsaidIdentity = spiffeId;
                    sayIdentity();
                }

                @Override
                public void problemChanged() {
                    identityProblem = identities.problem();
                    showStatus();
                }
            });
            identities.start();
        }
    }

    private void restore(PolicyClientConfig.Cache where, NodeSource nodes) {
        ScheduledThreadPoolExecutor writer = new ScheduledThreadPoolExecutor(1, new DaemonThreads("weft-policy-cache"));
        writer.setKeepAliveTime(10, TimeUnit.SECONDS);
        writer.allowCoreThreadTimeOut(true);
        // The key depends on who the node is, not on where it is.
        CacheKey key = CacheKey.of(nodes.at(InetAddress.getLoopbackAddress()), where.sharers(), config.controlPlane());
        ResourceCache file = new ResourceCache(where.directory(), key, writer, CACHE_QUIET, this::problem);
        List<ParseOutcome> outcomes = new ArrayList<>();
        for (RawResource raw : file.load()) {
            outcomes.add(ResourceParser.parse(raw));
        }
        if (!outcomes.isEmpty()) {
            assembler.restore(outcomes);
            assembler.assemble().ifPresent(this::restored);
        }
        cache = Optional.of(new Cache(file, writer));
    }

    /** As the first policy of a control plane does, it waits shortly for what none that it secures can be called without. */
    private void restored(PolicySnapshot fromDisk) {
        restored = fromDisk;
        if (assembler.lacksProvided()) {
            restoredWait = loop.schedule(this::showRestored, environment.laterSnapshotWait().toNanos(), TimeUnit.NANOSECONDS);
        } else {
            show(fromDisk);
        }
    }

    private void showRestored() {
        boolean waited = endRestoredWait();
        show(restored);
        if (waited) {
            showStatus();
        }
    }

    /** @return whether it waited */
    private boolean endRestoredWait() {
        if (restoredWait == null) {
            return false;
        }
        restoredWait.cancel(false);
        restoredWait = null;
        return true;
    }

    private void publish(Optional<PolicySnapshot> changed) {
        changed.ifPresent(fresh -> {
            restored = null;
            endRestoredWait();
            cache.ifPresent(open -> open.file().store(assembler.resources()));
            show(fresh);
        });
        sayIdentity();
    }

    /** Others call this process over mesh TLS once the control plane has heard of it. */
    private void sayIdentity() {
        if (unsaidIdentity != null && !gate.holds()) {
            client.identified(unsaidIdentity);
            unsaidIdentity = null;
        }
    }

    private void show(PolicySnapshot fresh) {
        snapshot = fresh;
        try {
            listener.snapshot(fresh);
        } catch (RuntimeException e) {
            problem("the listener failed on a snapshot: " + e);
        }
        loadReporter.ifPresent(reporter -> followLoad(reporter, fresh));
    }

    private void problem(String text) {
        problem = Optional.of(text);
        thread.execute(this::showStatus);
    }

    private void failed(Throwable e) {
        problem("internal error: " + e);
    }

    private void showStatus() {
        if (client == null) {
            return;
        }
        status = new PolicyClientStatus(
                client.connection(), client.variant(), intake.controlPlane(), intake.versions(), intake.refusals(),
                intake.lastResponse(), identityProblem.or(() -> problem));
        if (restoredWait != null) {
            // Whoever hears of a status takes it that what is on disk is in force.
            return;
        }
        try {
            listener.status(status);
        } catch (RuntimeException e) {
            // Not by problem(), which would call the listener again.
            problem = Optional.of("the listener failed on a status: " + e);
        }
    }
}
