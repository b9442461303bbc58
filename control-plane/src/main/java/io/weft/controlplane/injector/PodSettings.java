package io.weft.controlplane.injector;

import java.net.URI;

/**
 * What every pod gets.
 *
 * @param controlPlane for the agents, {@code grpcs://} outside of tests
 * @param mesh for pods that do not name one
 * @param trusts whose certificate the control plane has
 */
public record PodSettings(AgentImage image, AgentDelivery delivery, URI controlPlane, String mesh, Trust trusts) {

    public enum Trust {
        /** The injector's, which the pods get. */
        OURS,
        /** One of those that every JDK has. */
        PUBLIC
    }
}
