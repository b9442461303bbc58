package io.weft.policy.model;

import java.security.PrivateKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;

/**
 * {@code envoy.extensions.transport_sockets.tls.v3.TlsCertificate}.
 *
 * @param chain the leaf first; at least that
 * @param key of the leaf
 */
public record TlsCertificate(List<X509Certificate> chain, PrivateKey key) {
    private static final int URI = 6;

    public TlsCertificate {
        chain = List.copyOf(chain);
    }

    public X509Certificate leaf() {
        return chain.get(0);
    }

    /** The first URI among its names, for a workload its SPIFFE ID; empty if it has none. */
    public String uri() {
        try {
            Collection<List<?>> names = leaf().getSubjectAlternativeNames();
            if (names != null) {
                for (List<?> name : names) {
                    if (Integer.valueOf(URI).equals(name.get(0))) {
                        return (String) name.get(1);
                    }
                }
            }
        } catch (CertificateParsingException e) {
            // Names that cannot be read are none that anybody could believe.
            return "";
        }
        return "";
    }

    /** Without the key, whatever its own {@code toString} gives away. */
    @Override
    public String toString() {
        return "TlsCertificate[" + leaf().getSubjectX500Principal() + ", serial " + leaf().getSerialNumber().toString(16) + "]";
    }
}
