package io.weft.controlplane.identity;

import io.weft.controlplane.policy.MeshTls;
import io.weft.controlplane.policy.TlsMode;

/** How one inbound is secured: what it takes, with which TLS, and from whom. */
public record InboundSecurity(TlsMode mode, MeshTls.Settings tls, Permissions permissions) {}
