package io.weft.policy;

import io.weft.policy.model.PolicySnapshot;
import java.util.function.Consumer;

/**
 * One xDS v3 ADS stream to a control plane, and the last good policy that came over it. Usable by itself.
 *
 * <p>All state is confined to one event loop thread; the listener is called there, in order of generation, and must not block.
 */
public final class PolicyClient implements AutoCloseable {

    private PolicyClient() {}

    /**
     * Loads the cached snapshot, if there is one, then connects and stays connected. Returns at once.
     *
     * @param onSnapshot called with each new snapshot, the cached one first
     */
    public static PolicyClient start(PolicyClientConfig config, Node node, Consumer<PolicySnapshot> onSnapshot) {
        throw new UnsupportedOperationException("policy client");
    }

    /** The latest snapshot; empty before the first. */
    public PolicySnapshot snapshot() {
        throw new UnsupportedOperationException("policy client");
    }

    /** Tells the control plane what this node is now, on the stream that is open and on every later one. */
    public void update(Node node) {
        throw new UnsupportedOperationException("policy client");
    }

    /** Ends the stream and the thread; the last snapshot stays readable. Waits at most 300 ms. */
    @Override
    public void close() {
        throw new UnsupportedOperationException("policy client");
    }
}
