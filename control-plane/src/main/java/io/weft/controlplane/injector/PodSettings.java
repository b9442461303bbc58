package io.weft.controlplane.injector;

import java.net.URI;
import java.util.Optional;

/**
 * What every pod gets.
 *
 * @param delivery empty: an image volume where every pod could have one, else an init container
 * @param controlPlane for the agents, {@code grpcs://} outside of tests
 * @param mesh for pods that do not name one
 * @param trusts whose certificate the control plane has
 * @param required whether their agents let nobody in before there is a policy, unless a pod says otherwise
 */
public record PodSettings(
        AgentImage image, Optional<AgentDelivery> delivery, URI controlPlane, String mesh, Trust trusts, boolean required) {

    public enum Trust {
        /** The injector's, which the pods get. */
        OURS,
        /** One of those that every JDK has. */
        PUBLIC
    }
}
