package io.weft.policy;

import io.weft.policy.model.EndpointAssignment.Locality;
import java.util.Map;

/**
 * {@code envoy.config.core.v3.Node}: who this process is to a control plane.
 *
 * @param metadata values are String, Number, Boolean, Map or List of these
 */
public record Node(String id, String cluster, Locality locality, Map<String, Object> metadata) {}
