package io.weft.policy.model;

/** {@code envoy.extensions.transport_sockets.tls.v3.Secret}, as far as it is for TLS. Never written to disk. */
public record Secret(String name, Content content) implements Resource {

    public sealed interface Content {}

    public record Identity(TlsCertificate certificate) implements Content {}

    public record Validation(CertificateValidation validation) implements Content {}
}
