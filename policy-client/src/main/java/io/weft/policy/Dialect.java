package io.weft.policy;

/** In what a control plane differs from what xDS says, or has more than that. */
public enum Dialect {
    /** In nothing. Who shows a certificate says so in its node: the control plane here takes that as a reason to have it called by TLS. */
    XDS,
    /** kuma-cp takes the token without {@code Bearer}, and who a node is from the first request of a stream alone. */
    KUMA,
    /** istiod takes a request that changes nothing for a mistake. */
    ISTIO,
    /** istiod by way of its {@code pilot-agent}, which hands on what an Envoy would ask for, so no name table, and says itself how the node is. */
    ISTIO_BY_AGENT
}
