package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.ProvidedAuthorities;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TlsContext.CertificateSource;
import io.weft.policy.model.TlsContext.ValidationSource;
import io.weft.policy.model.TlsContext.Version;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSocket.DownstreamTls;
import io.weft.policy.model.TransportSocket.Plaintext;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource.ConfigSourceSpecifierCase;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsParameters;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsParameters.TlsProtocol;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.weft.policy.proto.protobuf.Any;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** {@code envoy.config.core.v3.TransportSocket} and the TLS contexts in it. */
final class TlsContextParser {
    private static final String TLS = "envoy.extensions.transport_sockets.tls.v3.";
    private static final String UPSTREAM = TLS + "UpstreamTlsContext";
    private static final String DOWNSTREAM = TLS + "DownstreamTlsContext";
    private static final String RAW_BUFFER = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
    private static final String RAW_BUFFER_NAME = "envoy.transport_sockets.raw_buffer";
    private static final int MAX_SNI_BYTES = 255;
    private static final int MAX_ALPN_BYTES = 255;

    private TlsContextParser() {}

    /** For connections that this process opens. */
    static TransportSocket upstream(Field field, io.weft.policy.proto.envoy.config.core.v3.TransportSocket socket) {
        String type = type(socket);
        if (isPlaintext(socket, type)) {
            return new Plaintext();
        }
        if (!type.equals(UPSTREAM)) {
            throw unsupported(field, socket, type, UPSTREAM);
        }
        return upstream(field.at("typed_config"), socket.getTypedConfig());
    }

    /** For connections that this process accepts. */
    static TransportSocket downstream(Field field, io.weft.policy.proto.envoy.config.core.v3.TransportSocket socket) {
        String type = type(socket);
        if (isPlaintext(socket, type)) {
            return new Plaintext();
        }
        if (!type.equals(DOWNSTREAM)) {
            throw unsupported(field, socket, type, DOWNSTREAM);
        }
        return downstream(field.at("typed_config"), socket.getTypedConfig());
    }

    private static String type(io.weft.policy.proto.envoy.config.core.v3.TransportSocket socket) {
        return socket.hasTypedConfig() ? Extensions.typeOf(socket.getTypedConfig()) : "";
    }

    private static boolean isPlaintext(io.weft.policy.proto.envoy.config.core.v3.TransportSocket socket, String type) {
        return type.isEmpty() ? socket.getName().equals(RAW_BUFFER_NAME) : type.equals(RAW_BUFFER);
    }

    private static Refusal unsupported(
            Field field, io.weft.policy.proto.envoy.config.core.v3.TransportSocket socket, String type, String expected) {
        return field.refuse("transport socket '" + socket.getName() + "'" + (type.isEmpty() ? "" : " (" + type + ")")
                + " is not supported, and without it traffic would be in plaintext; use raw_buffer or " + expected);
    }

    private static UpstreamTls upstream(Field field, Any config) {
        UpstreamTlsContext context;
        try {
            context = UpstreamTlsContext.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + UPSTREAM + ": " + e.getMessage());
        }
        field.refuseIf(context.getAutoHostSni(), "auto_host_sni", "is not supported; set sni");
        field.refuseIf(context.getAutoSniSanValidation(), "auto_sni_san_validation",
                "is not supported; set match_typed_subject_alt_names");
        field.refuseIf(context.getSni().getBytes(StandardCharsets.UTF_8).length > MAX_SNI_BYTES, "sni",
                "must be at most " + MAX_SNI_BYTES + " bytes long");
        field.reportIf(context.getAllowRenegotiation(), "allow_renegotiation");
        field.reportIf(context.hasMaxSessionKeys(), "max_session_keys");
        field.reportIf(context.hasEnforceRsaKeyUsage(), "enforce_rsa_key_usage");
        return new UpstreamTls(common(field.at("common_tls_context"), context.getCommonTlsContext()), context.getSni());
    }

    private static DownstreamTls downstream(Field field, Any config) {
        DownstreamTlsContext context;
        try {
            context = DownstreamTlsContext.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + DOWNSTREAM + ": " + e.getMessage());
        }
        field.refuseIf(context.getRequireSni().getValue(), "require_sni", "is not supported; leave it out");
        field.refuseIf(context.getOcspStaplePolicy() == DownstreamTlsContext.OcspStaplePolicy.MUST_STAPLE,
                "ocsp_staple_policy", "MUST_STAPLE is not supported; use LENIENT_STAPLING");
        field.reportIf(context.hasSessionTicketKeys(), "session_ticket_keys");
        field.reportIf(context.hasSessionTicketKeysSdsSecretConfig(), "session_ticket_keys_sds_secret_config");
        field.reportIf(context.getDisableStatelessSessionResumption(), "disable_stateless_session_resumption");
        field.reportIf(context.getDisableStatefulSessionResumption(), "disable_stateful_session_resumption");
        field.reportIf(context.hasSessionTimeout(), "session_timeout");
        field.reportIf(context.getOcspStaplePolicyValue() != 0, "ocsp_staple_policy");
        field.reportIf(context.hasFullScanCertsOnSniMismatch(), "full_scan_certs_on_sni_mismatch");
        field.reportIf(context.getPreferClientCiphers(), "prefer_client_ciphers");
        Field at = field.at("common_tls_context");
        TlsContext common = common(at, context.getCommonTlsContext());
        if (common.certificate().isEmpty()) {
            throw at.refuse("has no certificate to show; set tls_certificate_sds_secret_configs");
        }
        boolean required = context.getRequireClientCertificate().getValue();
        if (required && common.validation() instanceof TlsContext.NoValidation) {
            throw at.refuse("a client certificate is required, but nothing says how to check it; set validation_context");
        }
        return new DownstreamTls(common, required);
    }

    @SuppressWarnings("deprecation") // what older control planes send must be refused, too
    private static TlsContext common(Field field, CommonTlsContext context) {
        field.refuseIf(context.hasCustomTlsCertificateSelector(), "custom_tls_certificate_selector",
                "is not supported; send one certificate");
        field.refuseIf(context.hasTlsCertificateCertificateProvider(), "tls_certificate_certificate_provider",
                "is not supported; use tls_certificate_provider_instance");
        field.refuseIf(context.hasTlsCertificateCertificateProviderInstance(), "tls_certificate_certificate_provider_instance",
                "is not supported; use tls_certificate_provider_instance");
        field.refuseIf(context.hasCustomHandshaker(), "custom_handshaker", "is not supported; leave it out");
        field.refuseIf(context.hasKeyLog(), "key_log", "is not supported: it would give away what is to be secret");
        for (int i = 0; i < context.getAlpnProtocolsCount(); i++) {
            int length = context.getAlpnProtocolsBytes(i).size();
            if (length == 0 || length > MAX_ALPN_BYTES) {
                throw field.at("alpn_protocols", i).refuse("must be 1 to " + MAX_ALPN_BYTES + " bytes long");
            }
        }
        return new TlsContext(
                parameters(field.at("tls_params"), context.getTlsParams()),
                context.getAlpnProtocolsList(),
                certificate(field, context),
                validation(field, context));
    }

    private static TlsContext.Parameters parameters(Field field, TlsParameters parameters) {
        field.reportIf(parameters.getSignatureAlgorithmsCount() > 0, "signature_algorithms");
        field.reportIf(parameters.getEcdhCurvesCount() > 0, "ecdh_curves");
        field.refuseIf(parameters.getCompliancePoliciesCount() > 0, "compliance_policies",
                "are not supported; set tls_minimum_protocol_version, cipher_suites and ecdh_curves");
        // TLS 1.0 and 1.1 are allowed by a minimum, not demanded; they are never spoken here.
        TlsProtocol minimum = parameters.getTlsMinimumProtocolVersion();
        TlsProtocol maximum = parameters.getTlsMaximumProtocolVersion();
        boolean unknown = minimum == TlsProtocol.UNRECOGNIZED || maximum == TlsProtocol.UNRECOGNIZED;
        field.refuseIf(unknown, "tls_minimum_protocol_version", "is unknown; use TLSv1_2 or TLSv1_3");
        field.refuseIf(maximum == TlsProtocol.TLSv1_0 || maximum == TlsProtocol.TLSv1_1, "tls_maximum_protocol_version",
                "is older than TLS 1.2, which is the oldest that is spoken here");
        field.refuseIf(minimum == TlsProtocol.TLSv1_3 && maximum == TlsProtocol.TLSv1_2, "tls_maximum_protocol_version",
                "is below tls_minimum_protocol_version");
        return new TlsContext.Parameters(
                minimum == TlsProtocol.TLSv1_3 ? Version.TLS_1_3 : Version.TLS_1_2,
                maximum == TlsProtocol.TLSv1_2 ? Version.TLS_1_2 : Version.TLS_1_3,
                parameters.getCipherSuitesList());
    }

    private static Optional<CertificateSource> certificate(Field field, CommonTlsContext context) {
        int sources = context.getTlsCertificatesCount()
                + context.getTlsCertificateSdsSecretConfigsCount()
                + (context.hasTlsCertificateProviderInstance() ? 1 : 0);
        if (sources > 1) {
            throw field.refuse("has " + sources + " certificates; only one is supported");
        }
        if (context.getTlsCertificatesCount() == 1) {
            return Optional.of(new TlsContext.InlineCertificate(
                    SecretParser.certificate(field.at("tls_certificates", 0), context.getTlsCertificates(0))));
        }
        if (context.getTlsCertificateSdsSecretConfigsCount() == 1) {
            SdsSecretConfig config = context.getTlsCertificateSdsSecretConfigs(0);
            String name = secret(field.at("tls_certificate_sds_secret_configs", 0), config);
            return Optional.of(isOverAds(config)
                    ? new TlsContext.NamedCertificate(name)
                    : new TlsContext.ProvidedCertificate(name, ""));
        }
        if (context.hasTlsCertificateProviderInstance()) {
            CertificateProviderPluginInstance instance = context.getTlsCertificateProviderInstance();
            return Optional.of(new TlsContext.ProvidedCertificate(
                    field.at("tls_certificate_provider_instance").at("instance_name").notEmpty(instance.getInstanceName()),
                    instance.getCertificateName()));
        }
        return Optional.empty();
    }

    @SuppressWarnings("deprecation") // what older control planes send must be refused, too
    private static ValidationSource validation(Field field, CommonTlsContext context) {
        switch (context.getValidationContextTypeCase()) {
            case VALIDATION_CONTEXT:
                return new TlsContext.InlineValidation(
                        SecretParser.validation(field.at("validation_context"), context.getValidationContext()));
            case VALIDATION_CONTEXT_SDS_SECRET_CONFIG:
                return named(
                        field.at("validation_context_sds_secret_config"),
                        context.getValidationContextSdsSecretConfig(),
                        CertificateValidation.NOTHING);
            case COMBINED_VALIDATION_CONTEXT:
                return combined(field.at("combined_validation_context"), context.getCombinedValidationContext());
            case VALIDATION_CONTEXT_CERTIFICATE_PROVIDER:
            case VALIDATION_CONTEXT_CERTIFICATE_PROVIDER_INSTANCE:
                throw field.refuse("validation by a certificate provider is only supported as"
                        + " validation_context.ca_certificate_provider_instance");
            default:
                return new TlsContext.NoValidation();
        }
    }

    @SuppressWarnings("deprecation") // what older control planes send must be refused, too
    private static ValidationSource combined(Field field, CommonTlsContext.CombinedCertificateValidationContext context) {
        boolean provider = context.hasValidationContextCertificateProvider()
                || context.hasValidationContextCertificateProviderInstance();
        if (provider) {
            throw field.refuse("validation by a certificate provider is only supported as"
                    + " default_validation_context.ca_certificate_provider_instance");
        }
        field.refuseIf(!context.hasDefaultValidationContext(), "default_validation_context",
                "is missing; send it, empty when the secret says all that is to be checked");
        CertificateValidation defaults =
                SecretParser.validation(field.at("default_validation_context"), context.getDefaultValidationContext());
        field.refuseIf(!context.hasValidationContextSdsSecretConfig() && defaults.trust() instanceof CertificateValidation.Unspecified,
                "validation_context_sds_secret_config", "is missing, and default_validation_context trusts nobody");
        return context.hasValidationContextSdsSecretConfig()
                ? named(
                        field.at("validation_context_sds_secret_config"),
                        context.getValidationContextSdsSecretConfig(),
                        defaults)
                : new TlsContext.InlineValidation(defaults);
    }

    private static ValidationSource named(Field field, SdsSecretConfig config, CertificateValidation defaults) {
        String name = secret(field, config);
        return isOverAds(config)
                ? new TlsContext.NamedValidation(name, defaults)
                : new TlsContext.InlineValidation(defaults.with(
                        new CertificateValidation(new ProvidedAuthorities(name, ""), List.of(), List.of(), List.of())));
    }

    private static String secret(Field field, SdsSecretConfig config) {
        Field source = field.at("sds_config");
        if (config.hasSdsConfig() && config.getSdsConfig().getConfigSourceSpecifierCase() == ConfigSourceSpecifierCase.CONFIGSOURCESPECIFIER_NOT_SET) {
            throw source.refuse("does not say where from; set ads: {}");
        }
        Extensions.apiVersion(source, config.getSdsConfig());
        return field.at("name").notEmpty(config.getName());
    }

    /** Otherwise somebody beside the proxy would answer, as Istio's agent does for {@code default} and {@code ROOTCA}. */
    private static boolean isOverAds(SdsSecretConfig config) {
        return config.getSdsConfig().hasAds() || config.getSdsConfig().hasSelf();
    }
}
