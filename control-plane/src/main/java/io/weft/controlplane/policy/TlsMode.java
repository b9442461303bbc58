package io.weft.controlplane.policy;

/** What an inbound takes. */
public enum TlsMode {
    /** Mesh TLS and whatever else comes. */
    PERMISSIVE,
    /** Mesh TLS only. */
    STRICT
}
