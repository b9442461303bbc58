package io.weft.policy.xds;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.weft.policy.Dialect;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.PolicyClientConfig.ClientCertificate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What this process trusts and shows. The files are read anew for each connection: they are rotated while it runs. */
record ControlPlaneCredentials(
        Optional<Path> caFile, Optional<Path> tokenFile, Optional<ClientCertificate> clientCertificate, Dialect dialect) {

    static final ControlPlaneCredentials NONE =
            new ControlPlaneCredentials(Optional.empty(), Optional.empty(), Optional.empty(), Dialect.XDS);

    static ControlPlaneCredentials of(PolicyClientConfig config) {
        return new ControlPlaneCredentials(config.caFile(), config.tokenFile(), config.clientCertificate(), config.dialect());
    }

    /** @throws IOException a file cannot be used; the message names it */
    SslContext sslContext() throws IOException {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .endpointIdentificationAlgorithm("HTTPS")
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        Protocol.ALPN,
                        SelectorFailureBehavior.NO_ADVERTISE,
                        SelectedListenerFailureBehavior.ACCEPT,
                        ApplicationProtocolNames.HTTP_2));
        if (caFile.isPresent()) {
            try {
                builder.trustManager(caFile.get().toFile());
            } catch (IllegalArgumentException e) {
                throw new IOException("CA file " + caFile.get() + " cannot be used: " + cause(e) + hint(e), e);
            }
        }
        if (clientCertificate.isPresent()) {
            ClientCertificate certificate = clientCertificate.get();
            try {
                builder.keyManager(certificate.chain().toFile(), certificate.key().toFile());
            } catch (IllegalArgumentException e) {
                throw new IOException("client certificate " + certificate.chain() + " with key " + certificate.key()
                        + " (PEM, the key as unencrypted PKCS#8) cannot be used: " + cause(e), e);
            }
        }
        return builder.build();
    }

    /** @throws IOException the file cannot be used; the message names it */
    Optional<String> authorization() throws IOException {
        if (tokenFile.isEmpty()) {
            return Optional.empty();
        }
        String token;
        try {
            token = Files.readString(tokenFile.get()).strip();
        } catch (IOException e) {
            throw new IOException("token file " + tokenFile.get() + " cannot be read: " + e, e);
        }
        if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IOException("token file " + tokenFile.get() + " must hold one token and nothing else");
        }
        return Optional.of(dialect == Dialect.KUMA ? token : "Bearer " + token);
    }

    /** What kuma-cp signs for itself names nobody, and the JDK reads no such certificate: not in a file, and not in a handshake either. */
    private static String hint(IllegalArgumentException e) {
        return cause(e).contains("Empty issuer")
                ? "; a certificate that kuma-cp made for itself is so: give it one that names its issuer (KUMA_GENERAL_TLS_CERT_FILE, KUMA_GENERAL_TLS_KEY_FILE)"
                : "";
    }

    private static String cause(IllegalArgumentException e) {
        return e.getCause() == null ? e.getMessage() : e.getCause().toString();
    }
}
