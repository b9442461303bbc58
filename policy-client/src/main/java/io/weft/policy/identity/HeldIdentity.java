package io.weft.policy.identity;

import io.weft.policy.model.CertificateValidation.Trust;
import io.weft.policy.model.TlsCertificate;
import java.time.Instant;
import java.util.Optional;

/**
 * What a source gave: one of the two at least.
 *
 * @param certificate with its key
 * @param trust whom to trust
 */
public record HeldIdentity(Optional<TlsCertificate> certificate, Optional<Trust> trust) {

    public HeldIdentity(TlsCertificate certificate, Trust trust) {
        this(Optional.of(certificate), Optional.of(trust));
    }

    /** When nobody believes the certificate any more; empty: it has none. */
    public Optional<Instant> expires() {
        return certificate.map(own -> own.leaf().getNotAfter().toInstant());
    }

    /** The SPIFFE ID; empty: none. */
    public String uri() {
        return certificate.map(TlsCertificate::uri).orElse("");
    }
}
