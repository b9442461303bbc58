package io.weft.policy.identity;

import io.weft.policy.model.TlsCertificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * A certificate with its key, and those that came with it as the roots of its issuer.
 *
 * @param authorities empty: nothing was said of them
 */
public record HeldIdentity(TlsCertificate certificate, List<X509Certificate> authorities) {
    public HeldIdentity {
        authorities = List.copyOf(authorities);
    }

    public Instant expires() {
        return certificate.leaf().getNotAfter().toInstant();
    }
}
