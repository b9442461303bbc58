package io.weft.policy.model;

/** {@code envoy.extensions.transport_sockets.tls.v3.Secret}, as far as it is for TLS. Never written to disk. */
public record Secret(String name, Content content) implements Resource {

    /** Under this name a snapshot has the certificate that this process got for itself: no name of a resource has a space in it. */
    public static final String OWN_IDENTITY = "own identity";

    /** The same for those whom it trusts. */
    public static final String OWN_AUTHORITIES = "own authorities";

    /**
     * Where this process has several certificate providers, the name of what one of them gave.
     *
     * @param own {@link #OWN_IDENTITY} or {@link #OWN_AUTHORITIES}
     */
    public static String ofProvider(String own, String instance) {
        return own + ' ' + instance;
    }

    public sealed interface Content {}

    @Override
    public boolean holdsPrivateKey() {
        return content instanceof Identity;
    }

    public record Identity(TlsCertificate certificate) implements Content {}

    public record Validation(CertificateValidation validation) implements Content {}
}
