package io.weft.policy.identity;

import io.weft.policy.model.TlsCertificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/**
 * A certificate with its key, and those that came with it as the roots of its issuer.
 *
 * @param authorities empty: nothing was said of them
 */
public record HeldIdentity(TlsCertificate certificate, List<X509Certificate> authorities) {
    private static final int URI = 6;

    public HeldIdentity {
        authorities = List.copyOf(authorities);
    }

    public Instant expires() {
        return certificate.leaf().getNotAfter().toInstant();
    }

    /** The first URI among its names; empty if it has none. */
    public String spiffeId() {
        try {
            Collection<List<?>> names = certificate.leaf().getSubjectAlternativeNames();
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
}
