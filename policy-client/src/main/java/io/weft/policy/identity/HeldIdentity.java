package io.weft.policy.identity;

import io.weft.policy.model.CertificateValidation.Trust;
import io.weft.policy.model.TlsCertificate;
import java.time.Instant;

/**
 * A certificate with its key, and whom to trust, as it came with them.
 */
public record HeldIdentity(TlsCertificate certificate, Trust trust) {

    public Instant expires() {
        return certificate.leaf().getNotAfter().toInstant();
    }
}
