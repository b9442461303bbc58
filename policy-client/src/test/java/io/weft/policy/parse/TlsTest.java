package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.SubjectAltName;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.Secret;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket.Plaintext;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.ApiConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.TrustChainVerification;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig.TrustDomain;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsCertificate;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsParameters;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsParameters.TlsProtocol;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Value;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS contexts and secrets, as Kuma, Istio and gRPC's control planes send them. */
class TlsTest {
    private static final Keys EC = Keys.of("EC");
    private static final Keys RSA = Keys.of("RSA");

    private static SdsSecretConfig sds(String name) {
        return SdsSecretConfig.newBuilder().setName(name).setSdsConfig(ADS).build();
    }

    private static TlsContext context(Consumer<CommonTlsContext.Builder> change) {
        Accepted accepted = (Accepted) parse(withCommonTls(change));
        return ((UpstreamTls) ((Cluster) accepted.resource()).transport().otherwise()).context();
    }

    private static CertificateValidationContext.Builder uri(String exact) {
        return CertificateValidationContext.newBuilder().addMatchTypedSubjectAltNames(SubjectAltNameMatcher.newBuilder()
                .setSanType(SubjectAltNameMatcher.SanType.URI)
                .setMatcher(StringMatcher.newBuilder().setExact(exact)));
    }

    private static Secret.Content secret(
            Consumer<io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret.Builder> change) {
        return ((Secret) ((Accepted) parse(rawSecret(change))).resource()).content();
    }

    private static io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret rawSecret(
            Consumer<io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret.Builder> change) {
        var secret = io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret.newBuilder().setName("identity");
        change.accept(secret);
        return secret.build();
    }

    private static TlsCertificate.Builder certificate(String chain, String key) {
        return TlsCertificate.newBuilder().setCertificateChain(inline(chain)).setPrivateKey(inline(key));
    }

    @Test
    void asKumaSendsIt() {
        TlsContext context = context(c -> c
                .addAlpnProtocols("kuma")
                .addTlsCertificateSdsSecretConfigs(sds("identity_cert:secret:default"))
                .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                        .setDefaultValidationContext(uri("spiffe://default/orders"))
                        .setValidationContextSdsSecretConfig(sds("mesh_ca:secret:default"))));

        assertThat(context).isEqualTo(new TlsContext(
                new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                List.of("kuma"),
                Optional.of(new TlsContext.NamedCertificate("identity_cert:secret:default")),
                new TlsContext.NamedValidation("mesh_ca:secret:default", new CertificateValidation(
                        new CertificateValidation.Unspecified(),
                        List.of(new SubjectAltName(
                                SubjectAltName.Kind.URI, new StringMatch.Exact("spiffe://default/orders", false))),
                        List.of(),
                        List.of()))));
        assertThat(context.secrets()).containsExactlyInAnyOrder("identity_cert:secret:default", "mesh_ca:secret:default");
    }

    /** What is not on the ADS stream is answered beside the proxy there, so by the workload itself here. */
    @Test
    void asIstioSendsIt() {
        SdsSecretConfig.Builder local = SdsSecretConfig.newBuilder().setSdsConfig(
                ConfigSource.newBuilder().setApiConfigSource(ApiConfigSource.getDefaultInstance()));
        TlsContext context = context(c -> c
                .addTlsCertificateSdsSecretConfigs(local.setName("default").build())
                .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                        .setDefaultValidationContext(uri("spiffe://cluster.local/ns/shop/sa/orders"))
                        .setValidationContextSdsSecretConfig(local.setName("ROOTCA"))));

        assertThat(context.certificate()).contains(new TlsContext.ProvidedCertificate("default", ""));
        assertThat(((TlsContext.InlineValidation) context.validation()).validation()).satisfies(validation -> {
            assertThat(validation.trust()).isEqualTo(new CertificateValidation.ProvidedAuthorities("ROOTCA", ""));
            assertThat(validation.subjectAltNames()).hasSize(1);
        });
        assertThat(context.secrets()).isEmpty();
    }

    @Test
    void asGrpcControlPlanesSendIt() {
        CertificateProviderPluginInstance instance =
                CertificateProviderPluginInstance.newBuilder().setInstanceName("default").setCertificateName("ROOTCA").build();
        TlsContext context = context(c -> c
                .setTlsCertificateProviderInstance(instance)
                .setValidationContext(CertificateValidationContext.newBuilder().setCaCertificateProviderInstance(instance)));

        assertThat(context.certificate()).contains(new TlsContext.ProvidedCertificate("default", "ROOTCA"));
        assertThat(((TlsContext.InlineValidation) context.validation()).validation().trust())
                .isEqualTo(new CertificateValidation.ProvidedAuthorities("default", "ROOTCA"));
    }

    @Test
    void versionsAndSuites() {
        assertThat(context(c -> c.setTlsParams(TlsParameters.newBuilder()
                        .setTlsMinimumProtocolVersion(TlsProtocol.TLSv1_0)
                        .setTlsMaximumProtocolVersion(TlsProtocol.TLSv1_2)
                        .addCipherSuites("ECDHE-ECDSA-AES128-GCM-SHA256")))
                .parameters())
                .isEqualTo(new TlsContext.Parameters(
                        TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_2, List.of("ECDHE-ECDSA-AES128-GCM-SHA256")));
        assertThat(context(c -> c.setTlsParams(
                        TlsParameters.newBuilder().setTlsMinimumProtocolVersion(TlsProtocol.TLSv1_3))).parameters().minimum())
                .isEqualTo(TlsContext.Version.TLS_1_3);
    }

    @Test
    void theEndpointsMetadataChooseTheSocket() {
        Cluster cluster = (Cluster) ((Accepted) parse(cluster(c -> c
                        .addTransportSocketMatches(transportSocket("tlsMode-istio", TLS).toBuilder().setMatch(Struct.newBuilder()
                                .putFields("tlsMode", Value.newBuilder().setStringValue("istio").build())))
                        .addTransportSocketMatches(transportSocket("tlsMode-disabled", RAW_BUFFER)))))
                .resource();

        assertThat(cluster.transport().of(Map.of("tlsMode", "istio", "zone", "a"))).isInstanceOf(UpstreamTls.class);
        assertThat(cluster.transport().of(Map.of("tlsMode", "other"))).isEqualTo(new Plaintext());
        assertThat(cluster.transport().of(Map.of())).isEqualTo(new Plaintext());
    }

    static Stream<String> keys() {
        return Stream.of("EC", "RSA").flatMap(algorithm -> Stream.of(algorithm + " PKCS#8", algorithm + " traditional"));
    }

    @ParameterizedTest
    @MethodSource("keys")
    void anIdentity(String kind) throws GeneralSecurityException {
        Keys keys = kind.startsWith("EC") ? EC : RSA;
        String key = kind.endsWith("8") ? keys.pkcs8Key() : keys.traditionalKey();
        Secret.Identity identity =
                (Secret.Identity) secret(s -> s.setTlsCertificate(certificate("text before\n" + keys.certificate(), key)));

        Signature signature = Signature.getInstance(kind.startsWith("EC") ? "SHA256withECDSA" : "SHA256withRSA");
        signature.initSign(identity.certificate().key());
        signature.update((byte) 1);
        byte[] signed = signature.sign();
        signature.initVerify(keys.pair().getPublic());
        signature.update((byte) 1);
        assertThat(signature.verify(signed)).isTrue();
        assertThat(identity.certificate().leaf().getPublicKey()).isEqualTo(keys.pair().getPublic());
    }

    @Test
    void aKeyIsNotShown() {
        Secret.Identity identity =
                (Secret.Identity) secret(s -> s.setTlsCertificate(certificate(RSA.certificate(), RSA.pkcs8Key())));
        assertThat(identity.toString()).contains("CN=orders").doesNotContainIgnoringCase("key").doesNotContain("modulus");

        String message = refused(rawSecret(s -> s.setTlsCertificate(
                certificate(RSA.certificate(), RSA.traditionalKey().replace("A", "!"))))).message();
        assertThat(message).contains("private_key").doesNotContain(RSA.traditionalKey().substring(40, 60));
    }

    @Test
    void whomToTrust() {
        Secret.Validation any = (Secret.Validation) secret(s -> s.setValidationContext(CertificateValidationContext.newBuilder()
                .setTrustedCa(inline(EC.certificate() + RSA.certificate()))));
        assertThat(((CertificateValidation.Authorities) any.validation().trust()).certificates()).hasSize(2);

        Secret.Validation federated = (Secret.Validation) secret(s -> s.setValidationContext(
                CertificateValidationContext.newBuilder().setCustomValidatorConfig(spiffe(
                        TrustDomain.newBuilder().setName("Mesh.Local").setTrustBundle(inline(EC.certificate())),
                        TrustDomain.newBuilder().setName("other").setTrustBundle(inline(RSA.certificate()))))));
        assertThat(((CertificateValidation.TrustDomains) federated.validation().trust()).authorities())
                .containsOnlyKeys("mesh.local", "other");
    }

    private static TypedExtensionConfig spiffe(TrustDomain.Builder... domains) {
        SPIFFECertValidatorConfig.Builder config = SPIFFECertValidatorConfig.newBuilder();
        for (TrustDomain.Builder domain : domains) {
            config.addTrustDomains(domain);
        }
        return TypedExtensionConfig.newBuilder()
                .setName("envoy.tls.cert_validator.spiffe").setTypedConfig(any(config.build())).build();
    }

    @Test
    void aSecretAddsToTheContextThatRefersToIt() {
        CertificateValidation context = new CertificateValidation(
                new CertificateValidation.Unspecified(),
                List.of(new SubjectAltName(SubjectAltName.Kind.URI, new StringMatch.Exact("a", false))), List.of("h"), List.of());
        CertificateValidation secret = new CertificateValidation(
                new CertificateValidation.SystemAuthorities(),
                List.of(new SubjectAltName(SubjectAltName.Kind.DNS, new StringMatch.Exact("b", false))), List.of(), List.of("k"));

        CertificateValidation joined = context.with(secret);
        assertThat(joined.trust()).isEqualTo(new CertificateValidation.SystemAuthorities());
        assertThat(joined.subjectAltNames()).hasSize(2);
        assertThat(joined.certificateHashes()).containsExactly("h");
        assertThat(joined.publicKeyHashes()).containsExactly("k");
        assertThat(secret.with(CertificateValidation.NOTHING)).isEqualTo(secret);
    }

    private static Refused refused(com.google.protobuf.MessageLite resource) {
        return (Refused) parse(resource);
    }

    private static void refused(Consumer<CommonTlsContext.Builder> change, String path, String reason) {
        Refused refused = refused(withCommonTls(change));
        assertThat(refused.path()).isEqualTo("transport_socket.typed_config.common_tls_context" + path);
        assertThat(refused.reason()).contains(reason);
    }

    private static void refusedValidation(Consumer<CertificateValidationContext.Builder> change, String path, String reason) {
        CertificateValidationContext.Builder context = CertificateValidationContext.newBuilder();
        change.accept(context);
        refused(c -> c.setValidationContext(context), ".validation_context" + path, reason);
    }

    @Test
    void whatWouldBeLessSecureThanMeantIsRefused() {
        refusedValidation(v -> v.setTrustChainVerification(TrustChainVerification.ACCEPT_UNTRUSTED),
                ".trust_chain_verification", "lets anyone in");
        refusedValidation(v -> v.setAllowExpiredCertificate(true), ".allow_expired_certificate", "not supported");
        refusedValidation(v -> v.setCrl(inline("x")), ".crl", "short-lived");
        refusedValidation(v -> v.setTrustedCa(inline("")), ".trusted_ca", "no certificate");
        refusedValidation(v -> v.setTrustedCa(inline("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
                ".trusted_ca", "no PEM");
        refusedValidation(v -> v.setTrustedCa(DataSource.newBuilder().setFilename("/etc/ca.pem")),
                ".trusted_ca.filename", "inline or by SDS");
        refusedValidation(v -> v.addVerifyCertificateHash("zz"), ".verify_certificate_hash[0]", "SHA-256");
        refusedValidation(v -> v.setCustomValidatorConfig(TypedExtensionConfig.newBuilder().setName("x")
                        .setTypedConfig(any("a.Validator"))), ".custom_validator_config", "not supported");
        refusedValidation(v -> v.setCustomValidatorConfig(spiffe(
                        TrustDomain.newBuilder().setName("a").setTrustBundle(inline(EC.certificate())),
                        TrustDomain.newBuilder().setName("A").setTrustBundle(inline(EC.certificate())))),
                ".custom_validator_config.typed_config.trust_domains[1].name", "twice");
        refused(c -> c.setTlsParams(TlsParameters.newBuilder().setTlsMaximumProtocolVersion(TlsProtocol.TLSv1_1)),
                ".tls_params.tls_maximum_protocol_version", "older than TLS 1.2");
        refused(c -> c.addTlsCertificateSdsSecretConfigs(sds("a")).addTlsCertificateSdsSecretConfigs(sds("b")),
                "", "only one");
        refused(c -> c.addTlsCertificateSdsSecretConfigs(sds("")), ".tls_certificate_sds_secret_configs[0].name", "empty");
        refused(c -> c.addAlpnProtocols("h2").addAlpnProtocols(""), ".alpn_protocols[1]", "bytes long");
    }

    @Test
    void aKeyMustBelongToItsCertificate() {
        // The last two: a key of the same kind, and for EC on the same curve.
        for (String key : List.of(RSA.pkcs8Key(), Keys.of("EC").pkcs8Key(), Keys.of("EC").traditionalKey())) {
            Refused other = refused(rawSecret(s -> s.setTlsCertificate(certificate(EC.certificate(), key))));
            assertThat(other.path()).isEqualTo("tls_certificate.private_key");
            assertThat(other.reason()).contains("not the key of the first certificate");
        }
        assertThat(refused(rawSecret(s -> s.setTlsCertificate(certificate(RSA.certificate(), Keys.of("RSA").pkcs8Key())))).path())
                .isEqualTo("tls_certificate.private_key");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no PEM at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"})
    void aKeyThatIsNone(String key) {
        assertThat(refused(rawSecret(s -> s.setTlsCertificate(certificate(EC.certificate(), key)))).path())
                .isEqualTo("tls_certificate.private_key");
    }

    @Test
    void onlyTlsSecretsAreTaken() {
        assertThat(refused(rawSecret(s -> {})).reason()).contains("tls_certificate and validation_context");
        assertThat(refused(rawSecret(s -> s.clearName())).path()).isEqualTo("name");
    }

    @Test
    void sniIsSentAsItIs() {
        String istio = "outbound_.80_._.orders.shop.svc.cluster.local";
        Accepted accepted = (Accepted) parse(withTls(UpstreamTlsContext.newBuilder().setSni(istio).build()));
        assertThat(((UpstreamTls) ((Cluster) accepted.resource()).transport().otherwise()).sni()).isEqualTo(istio);
        assertThat(refused(withTls(UpstreamTlsContext.newBuilder().setAutoHostSni(true).build())).path())
                .isEqualTo("transport_socket.typed_config.auto_host_sni");
    }
}
