package io.weft.controlplane.policy;

/** Kuma's {@code kuma.io/protocol} and {@code appProtocol}. */
public enum Protocol {
    HTTP,
    HTTP2,
    GRPC,
    /** Not HTTP: such a port gets no virtual host. */
    TCP;

    public boolean http() {
        return this != TCP;
    }

    /** Whether its servers expect HTTP/2 without an upgrade. */
    public boolean http2() {
        return this == HTTP2 || this == GRPC;
    }
}
