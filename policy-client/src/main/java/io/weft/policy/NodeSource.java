package io.weft.policy;

import java.net.InetAddress;

/** Who this process is, for whoever advertises the address from which it reaches the control plane. */
@FunctionalInterface
public interface NodeSource {

    /**
     * Called on the client's thread for each stream and for each {@link PolicyClient#update(NodeSource)}; must not block.
     *
     * @param local the local address of the connection to the control plane
     */
    Node at(InetAddress local);

    /**
     * The control plane counts a stream of that name as open, though this process has none, and will for a while: what is said next has
     * another name, if the source has one. On the client's thread.
     */
    default void nameTaken() {}
}
