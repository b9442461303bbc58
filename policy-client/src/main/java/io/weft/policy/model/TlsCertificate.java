package io.weft.policy.model;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * {@code envoy.extensions.transport_sockets.tls.v3.TlsCertificate}.
 *
 * @param chain the leaf first; at least that
 * @param key of the leaf
 */
public record TlsCertificate(List<X509Certificate> chain, PrivateKey key) {
    public TlsCertificate {
        chain = List.copyOf(chain);
    }

    public X509Certificate leaf() {
        return chain.get(0);
    }

    /** Without the key, whatever its own {@code toString} gives away. */
    @Override
    public String toString() {
        return "TlsCertificate[" + leaf().getSubjectX500Principal() + ", serial " + leaf().getSerialNumber().toString(16) + "]";
    }
}
