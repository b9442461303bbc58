package io.weft.controlplane.ca;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** X.509 certificates as the X509-SVID specification of SPIFFE wants them, and those of servers outside of the mesh. */
final class CertificateBuilder {

    /** How far another machine's clock may be behind. */
    static final Duration BACKDATING = Duration.ofMinutes(1);

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final X500Principal NAMELESS = new X500Principal("O=Weft");

    private CertificateBuilder() {}

    static X509Certificate root(String mesh, KeyPair pair, Instant now, Duration lifetime) {
        X500Principal name = new X500Principal("CN=Weft root " + Long.toHexString(RANDOM.nextLong()) + ", OU="
                + mesh.replaceAll("[^A-Za-z0-9._-]", "-") + ", O=Weft");
        try {
            JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                            name, serial(), Date.from(now.minus(BACKDATING)), Date.from(now.plus(lifetime)), name, pair.getPublic())
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
                    .addExtension(
                            Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(pair.getPublic()));
            return sign(builder, pair.getPrivate());
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("a root certificate cannot be made", e);
        }
    }

    /**
     * @param uris at least one
     * @param notAfter not later than the issuer's own
     */
    static X509Certificate leaf(Root issuer, PublicKey key, List<String> uris, Instant now, Instant notAfter) {
        return leaf(issuer, key, names(GeneralName.uniformResourceIdentifier, uris), now, notAfter);
    }

    /**
     * @param hosts DNS names, at least one
     * @param notAfter not later than the issuer's own
     */
    static X509Certificate server(Root issuer, PublicKey key, List<String> hosts, Instant now, Instant notAfter) {
        return leaf(issuer, key, names(GeneralName.dNSName, hosts), now, notAfter);
    }

    private static GeneralNames names(int kind, List<String> names) {
        return new GeneralNames(names.stream().map(name -> new GeneralName(kind, name)).toArray(GeneralName[]::new));
    }

    private static X509Certificate leaf(Root issuer, PublicKey key, GeneralNames names, Instant now, Instant notAfter) {
        X509Certificate authority = issuer.certificate();
        Instant earliest = authority.getNotBefore().toInstant();
        Instant notBefore = now.minus(BACKDATING).isBefore(earliest) ? earliest : now.minus(BACKDATING);
        try {
            JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
            X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                            authority.getSubjectX500Principal(), serial(), Date.from(notBefore), Date.from(notAfter), NAMELESS, key)
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(usage(key)))
                    .addExtension(
                            Extension.extendedKeyUsage,
                            false,
                            new ExtendedKeyUsage(
                                    new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}))
                    .addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(key))
                    .addExtension(
                            Extension.authorityKeyIdentifier,
                            false,
                            extensions.createAuthorityKeyIdentifier(authority.getPublicKey()))
                    .addExtension(Extension.subjectAlternativeName, false, names);
            return sign(builder, issuer.key());
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("a certificate cannot be made", e);
        }
    }

    private static int usage(PublicKey key) {
        return key.getAlgorithm().equals("RSA") ? KeyUsage.digitalSignature | KeyUsage.keyEncipherment : KeyUsage.digitalSignature;
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key) throws GeneralSecurityException {
        try {
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder(signatureAlgorithm(key)).build(key)));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException("this key cannot sign", e);
        }
    }

    static String signatureAlgorithm(PrivateKey key) {
        return switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            case "EdDSA" -> "Ed25519";
            default -> key.getAlgorithm();
        };
    }

    private static BigInteger serial() {
        return new BigInteger(127, RANDOM).setBit(126);
    }
}
