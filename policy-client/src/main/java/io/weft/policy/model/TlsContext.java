package io.weft.policy.model;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code envoy.extensions.transport_sockets.tls.v3.CommonTlsContext}.
 *
 * @param alpn in order of preference
 * @param certificate what this side shows; empty: nothing
 */
public record TlsContext(
        Parameters parameters, List<String> alpn, Optional<CertificateSource> certificate, ValidationSource validation) {

    public TlsContext {
        alpn = List.copyOf(alpn);
    }

    /** The names that are fetched by SDS. */
    public Set<String> secrets() {
        Set<String> names = new HashSet<>(4);
        if (certificate.isPresent() && certificate.get() instanceof NamedCertificate named) {
            names.add(named.secret());
        }
        if (validation instanceof NamedValidation named) {
            names.add(named.secret());
        }
        return names;
    }

    /** The names by which it leaves to this process who it is, or whom it trusts. */
    public Set<String> providers() {
        Set<String> names = new HashSet<>(4);
        if (certificate.isPresent() && certificate.get() instanceof ProvidedCertificate provided) {
            names.add(provided.instance());
        }
        CertificateValidation defaults = validation instanceof InlineValidation inline
                ? inline.validation()
                : validation instanceof NamedValidation named ? named.defaults() : CertificateValidation.NOTHING;
        if (defaults.trust() instanceof CertificateValidation.ProvidedAuthorities provided) {
            names.add(provided.instance());
        }
        return names;
    }

    boolean holdsPrivateKey() {
        return certificate.isPresent() && certificate.get() instanceof InlineCertificate;
    }

    /**
     * {@code envoy.extensions.transport_sockets.tls.v3.TlsParameters}.
     *
     * @param cipherSuites for TLS 1.2, by their OpenSSL names, as in {@code ECDHE-ECDSA-AES128-GCM-SHA256}; empty: the JDK's
     */
    public record Parameters(Version minimum, Version maximum, List<String> cipherSuites) {
        public Parameters {
            cipherSuites = List.copyOf(cipherSuites);
        }
    }

    public enum Version { TLS_1_2, TLS_1_3 }

    /** Where the certificate and its key come from. */
    public sealed interface CertificateSource {}

    public record InlineCertificate(TlsCertificate certificate) implements CertificateSource {}

    /** Fetched by SDS over the ADS stream under this name. */
    public record NamedCertificate(String secret) implements CertificateSource {}

    /** A certificate provider of the bootstrap (gRFC A29), or an SDS name that the workload itself answers, as with Istio. */
    public record ProvidedCertificate(String instance, String certificate) implements CertificateSource {}

    /** How the peer is checked. */
    public sealed interface ValidationSource {}

    /** The peer is not checked, and has no identity. */
    public record NoValidation() implements ValidationSource {}

    public record InlineValidation(CertificateValidation validation) implements ValidationSource {}

    /**
     * Fetched by SDS over the ADS stream under this name and joined with what is given here.
     *
     * @param defaults {@link CertificateValidation#NOTHING} where only the secret counts
     */
    public record NamedValidation(String secret, CertificateValidation defaults) implements ValidationSource {}
}
