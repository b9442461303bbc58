package io.weft.policy;

import io.weft.policy.load.LoadSource;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.xds.Environment;
import io.weft.policy.xds.PolicySubscription;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * One xDS v3 ADS stream to a control plane, and the last good policy that came over it. Usable by itself.
 *
 * <p>All state is confined to one event loop thread; the listener is called there. The methods may be called from any thread.
 *
 * <p>Incremental xDS is tried first; where the control plane does not implement it, the state of the world is asked for. The
 * policy that came last stays in force for as long as there is no better one: without a connection, after a bad response, for
 * ever.
 */
public final class PolicyClient implements AutoCloseable {
    private static final Duration CLOSE_PATIENCE = Duration.ofMillis(300);

    private final PolicySubscription subscription;

    private PolicyClient(PolicySubscription subscription) {
        this.subscription = subscription;
    }

    /**
     * Loads the cached snapshot, if there is one, then connects and stays connected. Returns at once.
     *
     * @throws IllegalArgumentException the control plane's URI is not as {@link PolicyClientConfig} says
     */
    public static PolicyClient start(PolicyClientConfig config, Node node, PolicyListener listener) {
        return start(config, local -> node, listener);
    }

    /**
     * Like {@link #start(PolicyClientConfig, Node, PolicyListener)} for a node that depends on the address from which this process
     * reaches the control plane.
     */
    public static PolicyClient start(PolicyClientConfig config, NodeSource nodes, PolicyListener listener) {
        return start(config, nodes, listener, Environment.production());
    }

    static PolicyClient start(
            PolicyClientConfig config, NodeSource nodes, PolicyListener listener, Environment environment) {
        PolicyClient client = new PolicyClient(new PolicySubscription(config, nodes, environment, listener));
        client.subscription.start();
        return client;
    }

    /** The latest snapshot; empty before the first. */
    public PolicySnapshot snapshot() {
        return subscription.snapshot();
    }

    public PolicyClientStatus status() {
        return subscription.status();
    }

    /** What it has of each of the control plane's resources. Completed on the client's thread. */
    public CompletableFuture<ClientStatus> clientStatus() {
        return subscription.clientStatus();
    }

    /**
     * The same as the method {@code FetchClientStatus} of the client status discovery service. Contents are as they came, without those
     * that hold keys.
     *
     * @param request a serialized {@code envoy.service.status.v3.ClientStatusRequest}
     * @return a serialized {@code ClientStatusResponse}; fails with an {@link IllegalArgumentException} for a request that is none
     */
    public CompletableFuture<byte[]> clientStatus(byte[] request) {
        return subscription.clientStatus(request);
    }

    /**
     * What it has of the control plane as an Envoy tells it of itself: resources as they came, without those that hold keys, and of
     * secrets the certificates. Completed on the client's thread.
     *
     * @return a serialized {@code envoy.admin.v3.ConfigDump}
     */
    public CompletableFuture<byte[]> configDump() {
        return subscription.configDump();
    }

    /**
     * The same in Envoy's JSON, what is of a type that is not known here with its type only.
     *
     * @return makes it, which of a large mesh takes a while, and may be done on any thread
     */
    public CompletableFuture<Supplier<String>> configDumpJson() {
        return subscription.configDumpJson();
    }

    /** Tells the control plane what this node is now, on the stream that is open and on every later one. */
    public void update(Node node) {
        update(local -> node);
    }

    /** Like {@link #update(Node)} for a node that depends on the local address. */
    public void update(NodeSource nodes) {
        subscription.announce(nodes);
    }

    /**
     * Tells istiod, on the stream that is open and on every later one, how this node is: it keeps that with the {@code WorkloadEntry}
     * that it has of the node. Other control planes have no such message, and hear nothing.
     */
    public void health(Health health) {
        subscription.health(health);
    }

    /** Says who knows the load that the control plane may ask for; until then nothing is reported. Replaces the one before. */
    public void reportLoad(LoadSource source) {
        subscription.reportLoad(source);
    }

    /** Ends the stream and the thread; the last snapshot stays readable. Waits at most 300 ms. */
    @Override
    public void close() {
        try {
            subscription.close(CLOSE_PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
