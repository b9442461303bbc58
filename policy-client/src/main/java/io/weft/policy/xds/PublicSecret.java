package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.Secret.Identity;
import io.weft.policy.model.Secret.Validation;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsCertificate;
import io.weft.policy.proto.protobuf.Any;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.TreeMap;

/**
 * Of a secret what anybody may see: its certificates. Made from these, and not from what came by leaving something out, so that a field
 * that is not known here gives nothing away.
 */
final class PublicSecret {
    private static final String REDACTED = "[redacted]";
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private PublicSecret() {}

    /** @param secret null: it is not there, and nothing is known but its name */
    static Secret of(String name, io.weft.policy.model.Secret secret) {
        Secret.Builder told = Secret.newBuilder().setName(name);
        if (secret == null) {
            return told.build();
        }
        if (secret.content() instanceof Identity identity) {
            told.setTlsCertificate(TlsCertificate.newBuilder()
                    .setCertificateChain(pem(identity.certificate().chain()))
                    .setPrivateKey(DataSource.newBuilder().setInlineString(REDACTED)));
        } else if (secret.content() instanceof Validation validation) {
            told.setValidationContext(context(validation.validation().trust()));
        }
        return told.build();
    }

    private static CertificateValidationContext context(CertificateValidation.Trust trust) {
        CertificateValidationContext.Builder context = CertificateValidationContext.newBuilder();
        if (trust instanceof CertificateValidation.Authorities authorities) {
            context.setTrustedCa(pem(authorities.certificates()));
        } else if (trust instanceof CertificateValidation.TrustDomains domains) {
            SPIFFECertValidatorConfig.Builder validator = SPIFFECertValidatorConfig.newBuilder();
            new TreeMap<>(domains.authorities()).forEach((domain, roots) -> validator.addTrustDomains(
                    SPIFFECertValidatorConfig.TrustDomain.newBuilder().setName(domain).setTrustBundle(pem(roots))));
            context.setCustomValidatorConfig(TypedExtensionConfig.newBuilder()
                    .setName("envoy.tls.cert_validator.spiffe")
                    .setTypedConfig(Any.newBuilder()
                            .setTypeUrl("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig")
                            .setValue(validator.build().toByteString())));
        }
        return context.build();
    }

    private static DataSource pem(List<X509Certificate> certificates) {
        StringBuilder text = new StringBuilder();
        for (X509Certificate certificate : certificates) {
            try {
                text.append("-----BEGIN CERTIFICATE-----\n").append(LINES.encodeToString(certificate.getEncoded()))
                        .append("\n-----END CERTIFICATE-----\n");
            } catch (CertificateEncodingException e) {
                throw new IllegalStateException("a certificate that was read cannot be written", e);
            }
        }
        return DataSource.newBuilder().setInlineBytes(ByteString.copyFrom(text.toString(), StandardCharsets.US_ASCII)).build();
    }
}
