package io.weft.policy.model;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext}.
 *
 * @param trust which issuers count
 * @param subjectAltNames the peer must have one that matches one of these; empty: any will do
 * @param certificateHashes SHA-256 of the whole certificate, lower-case hexadecimal; empty: any will do
 * @param publicKeyHashes SHA-256 of the public key, Base64; the peer must be among these or the ones above
 */
public record CertificateValidation(
        Trust trust, List<SubjectAltName> subjectAltNames, List<String> certificateHashes, List<String> publicKeyHashes) {

    /** No demand, and nobody is trusted. */
    public static final CertificateValidation NOTHING =
            new CertificateValidation(new Unspecified(), List.of(), List.of(), List.of());

    public CertificateValidation {
        subjectAltNames = List.copyOf(subjectAltNames);
        certificateHashes = List.copyOf(certificateHashes);
        publicKeyHashes = List.copyOf(publicKeyHashes);
    }

    public sealed interface Trust {}

    /** Nothing is said, so no chain leads to anyone. */
    public record Unspecified() implements Trust {}

    /** Any of these, whatever the trust domain of the peer. */
    public record Authorities(List<X509Certificate> certificates) implements Trust {
        public Authorities {
            certificates = List.copyOf(certificates);
        }
    }

    /** The issuers that the JDK trusts. */
    public record SystemAuthorities() implements Trust {}

    /** A certificate provider of the bootstrap (gRFC A29), or an SDS name that the workload itself answers, as with Istio. */
    public record ProvidedAuthorities(String instance, String certificate) implements Trust {}

    /** SPIFFE federation: the peer's trust domain says which issuers count; a peer of another domain has none. */
    public record TrustDomains(Map<String, List<X509Certificate>> authorities) implements Trust {
        public TrustDomains {
            authorities = Map.copyOf(authorities);
        }
    }

    /** {@code SubjectAltNameMatcher}. */
    public record SubjectAltName(Kind kind, StringMatch match) {
        public enum Kind { DNS, URI, EMAIL, IP_ADDRESS, ANY }
    }

    /** As Envoy joins a secret with the context that refers to it: the secret's trust counts if it has any, lists add up. */
    public CertificateValidation with(CertificateValidation secret) {
        return new CertificateValidation(
                secret.trust instanceof Unspecified ? trust : secret.trust,
                join(subjectAltNames, secret.subjectAltNames),
                join(certificateHashes, secret.certificateHashes),
                join(publicKeyHashes, secret.publicKeyHashes));
    }

    private static <T> List<T> join(List<T> some, List<T> more) {
        List<T> all = new ArrayList<>(some);
        all.addAll(more);
        return all;
    }
}
