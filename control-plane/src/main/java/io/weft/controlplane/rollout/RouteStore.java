package io.weft.controlplane.rollout;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** Where the policies are that a rollout rewrites. A change is whole or not at all, and leaves alone what it is not about. */
public interface RouteStore {

    /**
     * How the requests for a service are shared; empty: by no policy.
     *
     * @throws RolloutException several rules share the requests, so that it is not clear which one is meant
     * @throws IOException the policies cannot be read
     */
    Optional<Split> split(String mesh, String service) throws IOException, RolloutException;

    /**
     * Shares the requests by these weights from now on; where no policy does so yet, one is made.
     *
     * @throws RolloutException the policy is written in a way that cannot be changed in place, or changed at the same time
     */
    void share(String mesh, String service, Map<String, Long> weights) throws IOException, RolloutException;

    /**
     * Sends the requests that carry a header to one version from now on. All others go where they went; without a policy that says where,
     * to {@code rest}.
     *
     * @param header the header's name and the value that it must have
     */
    void sendByHeader(String mesh, String service, Map.Entry<String, String> header, String version, String rest)
            throws IOException, RolloutException;

    /**
     * Takes back {@link #sendByHeader}.
     *
     * @return whether there was anything to take back
     */
    boolean endByHeader(String mesh, String service) throws IOException, RolloutException;
}
