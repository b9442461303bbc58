package io.weft.it.harness;

import com.google.protobuf.Any;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.TlsCertificate;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.List;
import java.util.stream.Collectors;

/** How a client of the mesh secures its connections, as Kuma writes it, and the secrets that either side may be sent by SDS. */
public final class MeshTlsSockets {
    private MeshTlsSockets() {}

    /**
     * With its certificates in it.
     *
     * @param san the URI that the server's certificate must have
     */
    public static TransportSocket upstream(Authority authority, Certified own, String san) {
        return upstream(CommonTlsContext.newBuilder()
                .addAlpnProtocols("kuma")
                .addTlsCertificates(certificate(own))
                .setValidationContext(validation(List.of(authority), san)));
    }

    /** With the names of its secrets. */
    public static TransportSocket upstreamBySecrets(String identity, String authorities) {
        return upstream(CommonTlsContext.newBuilder()
                .addAlpnProtocols("kuma")
                .addTlsCertificateSdsSecretConfigs(byName(identity))
                .setValidationContextSdsSecretConfig(byName(authorities)));
    }

    private static TransportSocket upstream(CommonTlsContext.Builder common) {
        return TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls")
                .setTypedConfig(Any.pack(
                        UpstreamTlsContext.newBuilder().setCommonTlsContext(common).setSni("orders.mesh").build()))
                .build();
    }

    static SdsSecretConfig byName(String secret) {
        return SdsSecretConfig.newBuilder().setName(secret).setSdsConfig(Policy.ads()).build();
    }

    public static Secret identity(String name, Certified own) {
        return Secret.newBuilder().setName(name).setTlsCertificate(certificate(own)).build();
    }

    public static Secret authorities(String name, List<Authority> trusted, String san) {
        return Secret.newBuilder().setName(name).setValidationContext(validation(trusted, san)).build();
    }

    static TlsCertificate certificate(Certified own) {
        return TlsCertificate.newBuilder()
                .setCertificateChain(inline(own.certificatePem())).setPrivateKey(inline(own.keyPem())).build();
    }

    private static CertificateValidationContext validation(List<Authority> trusted, String san) {
        return CertificateValidationContext.newBuilder()
                .setTrustedCa(inline(trusted.stream().map(one -> Certified.pem(one.certificate())).collect(Collectors.joining())))
                .addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                        .setSanType(SubjectAltNameMatcher.SanType.URI)
                        .setMatcher(StringMatcher.newBuilder().setExact(san)))
                .build();
    }

    static DataSource inline(String text) {
        return DataSource.newBuilder().setInlineString(text).build();
    }
}
