package io.weft.controlplane.xds;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.TlsCertificate;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.TlsParameters;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates.Certificate;
import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.IpLiteral;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.MeshExternalService.Name;
import io.weft.controlplane.policy.MeshExternalService.Verification;
import io.weft.controlplane.policy.MeshTls;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.service.ServiceCatalog.Target;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/** Envoy's TLS contexts and secrets, as Kuma shapes them. */
final class TlsBuilder {

    /** By which an inbound tells mesh TLS from the app's own. */
    static final String ALPN = "kuma";

    /** What an endpoint says of itself when it takes mesh TLS, and its value. */
    static final String MODE_LABEL = "tlsMode";
    static final String MESH_MODE = "mesh";

    static final String TRUST_BUNDLE = "system_trust_bundle";

    private static final String TLS = "envoy.transport_sockets.tls";
    /** Debian's and Alpine's, on which Envoy's images are built; where there is no such file Envoy refuses the cluster. */
    private static final String SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

    /** For the endpoints that take it; the others are reached in plaintext. */
    static Cluster.TransportSocketMatch upstream(Shown shown, Target target, MeshSecurity security) {
        Set<Workload> workloads = new HashSet<>();
        target.instances().forEach(instance -> workloads.add(instance.workload()));
        workloads.remove(Workload.NOBODY);
        if (workloads.isEmpty()) {
            workloads.add(Workload.ofService(target.service().name()));
        }
        SortedSet<String> ids = new TreeSet<>();
        // One who has no identity is nobody: no certificate matches the empty name.
        workloads.forEach(workload -> ids.add(security.identity(workload).map(identity -> identity.spiffeId()).orElse("")));
        List<SubjectAltNameMatcher> names =
                ids.stream().map(id -> uri(StringMatcher.newBuilder().setExact(id))).toList();
        CommonTlsContext.Builder context = common(shown, security.calling(), names).addAlpnProtocols(ALPN);
        UpstreamTlsContext tls = UpstreamTlsContext.newBuilder()
                .setCommonTlsContext(context)
                .setSni(Names.sni(target))
                .build();
        return Cluster.TransportSocketMatch.newBuilder()
                .setName("mesh-tls")
                .setMatch(Struct.newBuilder()
                        .putFields(MODE_LABEL, Value.newBuilder().setStringValue(MESH_MODE).build()))
                .setTransportSocket(socket(tls))
                .build();
    }

    /**
     * To what is outside of the mesh, for all of its endpoints.
     *
     * @param kind of the callers
     */
    static Cluster.TransportSocketMatch external(MeshExternalService service, MeshExternalService.Tls tls, ClientNode.Kind kind) {
        String first = service.endpoints().get(0).address();
        boolean named = tls.verification() == Verification.SECURED;
        String sni = tls.serverName()
                .or(() -> Optional.of(first).filter(address -> !IpLiteral.is(address)))
                .orElse("");
        // Envoy says so by itself; an agent says what it is told.
        CommonTlsContext.Builder context = CommonTlsContext.newBuilder().addAlpnProtocols(service.protocol().http2() ? "h2" : "http/1.1");
        parameters(tls.versions(), context);
        if (tls.verification() != Verification.NONE) {
            CertificateValidationContext.Builder validation = CertificateValidationContext.newBuilder();
            authorities(tls, kind, validation);
            if (named) {
                List<Name> names = new ArrayList<>(List.of(new Name(Name.Kind.EXACT, sni.isEmpty() ? first : sni)));
                names.addAll(tls.names());
                names.forEach(name -> validation.addMatchTypedSubjectAltNames(name(SubjectAltNameMatcher.SanType.DNS, name))
                        .addMatchTypedSubjectAltNames(name(SubjectAltNameMatcher.SanType.IP_ADDRESS, name)));
            }
            context.setValidationContext(validation);
        }
        return Cluster.TransportSocketMatch.newBuilder()
                .setName(first)
                .setMatch(Struct.getDefaultInstance())
                .setTransportSocket(socket(UpstreamTlsContext.newBuilder().setCommonTlsContext(context).setSni(sni).build()))
                .build();
    }

    /** A data plane's own requests to a collector, who has to be whom its name says. */
    static TransportSocket collector(String host, ClientNode.Kind kind) {
        CertificateValidationContext.Builder validation = CertificateValidationContext.newBuilder();
        authorities(kind, validation);
        boolean named = !IpLiteral.is(host);
        return socket(UpstreamTlsContext.newBuilder()
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .setValidationContext(validation
                                .addMatchTypedSubjectAltNames(name(
                                        named ? SubjectAltNameMatcher.SanType.DNS : SubjectAltNameMatcher.SanType.IP_ADDRESS,
                                        new Name(Name.Kind.EXACT, host)))))
                .setSni(named ? host : "")
                .build());
    }

    /** Those of the caller's system an agent has from its JVM, and Envoy only from a file. */
    private static void authorities(
            MeshExternalService.Tls tls, ClientNode.Kind kind, CertificateValidationContext.Builder validation) {
        if (tls.authorities().isPresent()) {
            validation.setTrustedCa(bytes(tls.authorities().get()));
        } else {
            authorities(kind, validation);
        }
    }

    private static void authorities(ClientNode.Kind kind, CertificateValidationContext.Builder validation) {
        if (kind == ClientNode.Kind.PROXY) {
            validation.setTrustedCa(DataSource.newBuilder().setFilename(SYSTEM_AUTHORITIES));
        } else {
            validation.setSystemRootCerts(CertificateValidationContext.SystemRootCerts.getDefaultInstance());
        }
    }

    private static SubjectAltNameMatcher name(SubjectAltNameMatcher.SanType type, Name name) {
        StringMatcher.Builder matcher = StringMatcher.newBuilder();
        return SubjectAltNameMatcher.newBuilder()
                .setSanType(type)
                .setMatcher(name.kind() == Name.Kind.PREFIX ? matcher.setPrefix(name.value()) : matcher.setExact(name.value()))
                .build();
    }

    static TransportSocket downstream(Shown shown, MeshTls.Settings settings, MeshSecurity security) {
        List<SubjectAltNameMatcher> names = security.trust().keySet().stream()
                .map(domain -> uri(StringMatcher.newBuilder().setPrefix("spiffe://" + domain + "/")))
                .toList();
        return socket(DownstreamTlsContext.newBuilder()
                .setCommonTlsContext(common(shown, settings, names))
                .setRequireClientCertificate(BoolValue.of(true))
                .build());
    }

    private static CommonTlsContext.Builder common(Shown shown, MeshTls.Settings settings, List<SubjectAltNameMatcher> names) {
        CommonTlsContext.Builder context = CommonTlsContext.newBuilder()
                .setCombinedValidationContext(CommonTlsContext.CombinedCertificateValidationContext.newBuilder()
                        .setDefaultValidationContext(
                                CertificateValidationContext.newBuilder().addAllMatchTypedSubjectAltNames(names))
                        .setValidationContextSdsSecretConfig(secret(TRUST_BUNDLE)));
        shown.in(context);
        parameters(settings, context);
        return context;
    }

    private static void parameters(MeshTls.Settings settings, CommonTlsContext.Builder context) {
        if (settings.minimum().isPresent() || settings.maximum().isPresent() || settings.ciphers().isPresent()) {
            TlsParameters.Builder parameters = TlsParameters.newBuilder();
            settings.minimum().ifPresent(version -> parameters.setTlsMinimumProtocolVersion(version(version)));
            settings.maximum().ifPresent(version -> parameters.setTlsMaximumProtocolVersion(version(version)));
            settings.ciphers().ifPresent(parameters::addAllCipherSuites);
            context.setTlsParams(parameters);
        }
    }

    private static TlsParameters.TlsProtocol version(MeshTls.Version version) {
        return switch (version) {
            case AUTO -> TlsParameters.TlsProtocol.TLS_AUTO;
            case TLS_1_0 -> TlsParameters.TlsProtocol.TLSv1_0;
            case TLS_1_1 -> TlsParameters.TlsProtocol.TLSv1_1;
            case TLS_1_2 -> TlsParameters.TlsProtocol.TLSv1_2;
            case TLS_1_3 -> TlsParameters.TlsProtocol.TLSv1_3;
        };
    }

    private static SubjectAltNameMatcher uri(StringMatcher.Builder matcher) {
        return SubjectAltNameMatcher.newBuilder()
                .setSanType(SubjectAltNameMatcher.SanType.URI)
                .setMatcher(matcher)
                .build();
    }

    static SdsSecretConfig secret(String name) {
        return SdsSecretConfig.newBuilder().setName(name).setSdsConfig(ClusterBuilder.ADS).build();
    }

    private static TransportSocket socket(Message tls) {
        return TransportSocket.newBuilder().setName(TLS).setTypedConfig(any(tls)).build();
    }

    static Any any(Message message) {
        return Versioned.of("", message).message();
    }

    static Versioned identity(String name, Certificate certificate) {
        return Versioned.of(name, Secret.newBuilder()
                .setName(name)
                .setTlsCertificate(TlsCertificate.newBuilder()
                        .setCertificateChain(bytes(Pem.of(certificate.leaf().chain())))
                        .setPrivateKey(bytes(Pem.of(certificate.key()))))
                .build());
    }

    /** SPIFFE federation: a peer's trust domain says whose signature counts. */
    static Versioned trustBundle(SortedMap<String, List<X509Certificate>> trust) {
        SPIFFECertValidatorConfig.Builder validator = SPIFFECertValidatorConfig.newBuilder();
        trust.forEach((domain, authorities) -> validator.addTrustDomains(SPIFFECertValidatorConfig.TrustDomain.newBuilder()
                .setName(domain)
                .setTrustBundle(bytes(Pem.of(authorities)))));
        return Versioned.of(TRUST_BUNDLE, Secret.newBuilder()
                .setName(TRUST_BUNDLE)
                .setValidationContext(CertificateValidationContext.newBuilder()
                        .setCustomValidatorConfig(TypedExtensionConfig.newBuilder()
                                .setName("envoy.tls.cert_validator.spiffe")
                                .setTypedConfig(any(validator.build()))))
                .build());
    }

    private static DataSource bytes(String pem) {
        return DataSource.newBuilder().setInlineBytes(ByteString.copyFromUtf8(pem)).build();
    }

    private TlsBuilder() {}
}
