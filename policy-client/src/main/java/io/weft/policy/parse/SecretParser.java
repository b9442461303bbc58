package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.SubjectAltName;
import io.weft.policy.model.CertificateValidation.Trust;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.TrustChainVerification;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code envoy.extensions.transport_sockets.tls.v3.Secret}, and the same things inside a TLS context. */
final class SecretParser {
    private static final String SPIFFE = "envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";
    private static final int HASH_CHARS = 64;

    private SecretParser() {}

    static Secret parse(Field field, io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret secret) {
        field.at("name").notEmpty(secret.getName());
        switch (secret.getTypeCase()) {
            case TLS_CERTIFICATE:
                return new Secret(secret.getName(),
                        new Secret.Identity(certificate(field.at("tls_certificate"), secret.getTlsCertificate())));
            case VALIDATION_CONTEXT:
                return new Secret(secret.getName(),
                        new Secret.Validation(validation(field.at("validation_context"), secret.getValidationContext())));
            default:
                throw field.refuse("only tls_certificate and validation_context are supported");
        }
    }

    static TlsCertificate certificate(
            Field field, io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsCertificate certificate) {
        field.refuseIf(certificate.hasPkcs12(), "pkcs12", "is not supported; send certificate_chain and private_key");
        field.refuseIf(certificate.hasPrivateKeyProvider(), "private_key_provider", "is not supported; send private_key");
        field.refuseIf(certificate.hasPassword(), "password", "is not supported; send the key unencrypted");
        field.reportIf(certificate.hasWatchedDirectory(), "watched_directory");
        field.reportIf(certificate.hasOcspStaple(), "ocsp_staple");
        field.reportIf(certificate.getSignedCertificateTimestampCount() > 0, "signed_certificate_timestamp");
        Field chainField = field.at("certificate_chain");
        List<X509Certificate> chain = Pem.certificates(chainField, content(chainField, certificate.getCertificateChain()));
        Field keyField = field.at("private_key");
        PrivateKey key = Pem.privateKey(keyField, content(keyField, certificate.getPrivateKey()));
        if (!Pem.fits(key, chain.get(0).getPublicKey())) {
            throw keyField.refuse("is not the key of the first certificate of certificate_chain");
        }
        return new TlsCertificate(chain, key);
    }

    @SuppressWarnings("deprecation") // match_subject_alt_names
    static CertificateValidation validation(Field field, CertificateValidationContext context) {
        field.refuseIf(context.getTrustChainVerification() != TrustChainVerification.VERIFY_TRUST_CHAIN,
                "trust_chain_verification", "only VERIFY_TRUST_CHAIN is supported: anything else lets anyone in");
        field.refuseIf(context.getAllowExpiredCertificate(), "allow_expired_certificate", "is not supported; leave it out");
        field.refuseIf(context.hasCrl(), "crl", "is not supported; use short-lived certificates");
        field.refuseIf(context.getRequireSignedCertificateTimestamp().getValue(), "require_signed_certificate_timestamp",
                "is not supported; leave it out");
        field.refuseIf(context.hasMaxVerifyDepth(), "max_verify_depth", "is not supported; leave it out");
        field.reportIf(context.hasWatchedDirectory(), "watched_directory");
        field.reportIf(context.getOnlyVerifyLeafCertCrl(), "only_verify_leaf_cert_crl");

        List<SubjectAltName> names = new ArrayList<>();
        for (int i = 0; i < context.getMatchTypedSubjectAltNamesCount(); i++) {
            names.add(subjectAltName(field.at("match_typed_subject_alt_names", i), context.getMatchTypedSubjectAltNames(i)));
        }
        for (int i = 0; i < context.getMatchSubjectAltNamesCount(); i++) {
            names.add(new SubjectAltName(SubjectAltName.Kind.ANY,
                    MatchParser.string(field.at("match_subject_alt_names", i), context.getMatchSubjectAltNames(i))));
        }
        return new CertificateValidation(
                trust(field, context), names, certificateHashes(field, context), context.getVerifyCertificateSpkiList());
    }

    private static Trust trust(Field field, CertificateValidationContext context) {
        if (context.hasCustomValidatorConfig()) {
            field.refuseIf(context.hasTrustedCa(), "trusted_ca", "does not go with a SPIFFE validator, which has its own bundles");
            return trustDomains(field.at("custom_validator_config"), context.getCustomValidatorConfig());
        }
        if (context.hasTrustedCa()) {
            Field at = field.at("trusted_ca");
            return new CertificateValidation.Authorities(Pem.certificates(at, content(at, context.getTrustedCa())));
        }
        if (context.hasCaCertificateProviderInstance()) {
            var instance = context.getCaCertificateProviderInstance();
            return new CertificateValidation.ProvidedAuthorities(
                    field.at("ca_certificate_provider_instance").at("instance_name").notEmpty(instance.getInstanceName()),
                    instance.getCertificateName());
        }
        return context.hasSystemRootCerts()
                ? new CertificateValidation.SystemAuthorities()
                : new CertificateValidation.Unspecified();
    }

    private static Trust trustDomains(Field field, TypedExtensionConfig extension) {
        String type = Extensions.typeOf(extension.getTypedConfig());
        if (!type.equals(SPIFFE)) {
            throw field.refuse("certificate validator '" + extension.getName() + "' (" + type + ") is not supported; use "
                    + SPIFFE);
        }
        Field at = field.at("typed_config");
        SPIFFECertValidatorConfig config;
        try {
            config = SPIFFECertValidatorConfig.parseFrom(extension.getTypedConfig().getValue());
        } catch (InvalidProtocolBufferException e) {
            throw at.refuse("is not a valid " + SPIFFE + ": " + e.getMessage());
        }
        at.refuseIf(config.hasTrustBundles(), "trust_bundles", "is not supported; use trust_domains");
        at.refuseIf(config.getTrustDomainsCount() == 0, "trust_domains", "must not be empty");
        Map<String, List<X509Certificate>> authorities = new HashMap<>();
        for (int i = 0; i < config.getTrustDomainsCount(); i++) {
            SPIFFECertValidatorConfig.TrustDomain domain = config.getTrustDomains(i);
            Field of = at.at("trust_domains", i);
            String name = of.at("name").notEmpty(domain.getName()).toLowerCase(Locale.ROOT);
            Field bundle = of.at("trust_bundle");
            if (authorities.put(name, Pem.certificates(bundle, content(bundle, domain.getTrustBundle()))) != null) {
                throw of.at("name").refuse("'" + name + "' occurs twice");
            }
        }
        return new CertificateValidation.TrustDomains(authorities);
    }

    private static SubjectAltName subjectAltName(Field field, SubjectAltNameMatcher matcher) {
        SubjectAltName.Kind kind;
        switch (matcher.getSanType()) {
            case DNS:
                kind = SubjectAltName.Kind.DNS;
                break;
            case URI:
                kind = SubjectAltName.Kind.URI;
                break;
            case EMAIL:
                kind = SubjectAltName.Kind.EMAIL;
                break;
            case IP_ADDRESS:
                kind = SubjectAltName.Kind.IP_ADDRESS;
                break;
            default:
                throw field.at("san_type").refuse("must be DNS, URI, EMAIL or IP_ADDRESS");
        }
        return new SubjectAltName(kind, MatchParser.string(field.at("matcher"), matcher.getMatcher()));
    }

    private static List<String> certificateHashes(Field field, CertificateValidationContext context) {
        List<String> hashes = new ArrayList<>(context.getVerifyCertificateHashCount());
        for (int i = 0; i < context.getVerifyCertificateHashCount(); i++) {
            String hash = context.getVerifyCertificateHash(i).replace(":", "").toLowerCase(Locale.ROOT);
            boolean hexadecimal = hash.length() == HASH_CHARS && hash.chars().allMatch(c -> Character.digit(c, 16) >= 0);
            if (!hexadecimal) {
                throw field.at("verify_certificate_hash", i).refuse("must be a SHA-256 in hexadecimal");
            }
            hashes.add(hash);
        }
        return hashes;
    }

    /** Inline only: a file would be one of the control plane's machine or, worse, of this one's. */
    private static byte[] content(Field field, DataSource source) {
        switch (source.getSpecifierCase()) {
            case INLINE_BYTES:
                return source.getInlineBytes().toByteArray();
            case INLINE_STRING:
                return ByteString.copyFromUtf8(source.getInlineString()).toByteArray();
            case FILENAME:
                throw field.at("filename").refuse("is not supported; send the content inline or by SDS");
            case ENVIRONMENT_VARIABLE:
                throw field.at("environment_variable").refuse("is not supported; send the content inline or by SDS");
            default:
                throw field.refuse("is missing");
        }
    }
}
