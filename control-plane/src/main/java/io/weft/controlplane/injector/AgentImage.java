package io.weft.controlplane.injector;

import java.util.Optional;

/**
 * The image of {@code deploy/agent}: {@code /weft-agent.jar} and {@code /cp}, which runs as a user that is not root.
 *
 * @param pullPolicy absent: the cluster's default
 */
public record AgentImage(String reference, Optional<String> pullPolicy) {}
