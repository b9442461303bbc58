package io.weft.policy.model;

import java.util.Set;

/**
 * {@code forward_client_cert_details} and {@code set_current_client_cert_details}: what becomes of
 * {@code x-forwarded-client-cert} in a request that comes in.
 *
 * @param details what is said of the peer beside the hash of its certificate, where something is said
 */
public record ClientCertificateHeader(Mode mode, Set<Detail> details) {
    public static final ClientCertificateHeader SANITIZE = new ClientCertificateHeader(Mode.SANITIZE, Set.of());

    public ClientCertificateHeader {
        details = Set.copyOf(details);
    }

    /** As in Envoy. */
    public enum Mode { SANITIZE, FORWARD_ONLY, APPEND_FORWARD, SANITIZE_SET, ALWAYS_FORWARD_ONLY }

    public enum Detail { CERT, CHAIN, SUBJECT, URI, DNS }
}
