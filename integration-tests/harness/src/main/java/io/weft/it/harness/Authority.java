package io.weft.it.harness;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.stream.Stream;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority of a test, with all that a real one would never issue. */
public final class Authority {
    private static final GeneralName[] NO_NAMES = {};
    private static final Duration DAY = Duration.ofDays(1);

    private final KeyPair keys = keyPair();
    private final X509Certificate certificate;

    public Authority(String name) {
        certificate = issue(principal(name), keys.getPublic(), principal(name), keys, validFrom(Duration.ofHours(-1)), true, NO_NAMES);
    }

    public X509Certificate certificate() {
        return certificate;
    }

    public static GeneralName uri(String uri) {
        return new GeneralName(GeneralName.uniformResourceIdentifier, uri);
    }

    public static GeneralName dns(String name) {
        return new GeneralName(GeneralName.dNSName, name);
    }

    public Certified certify(String... uris) {
        return certify(Duration.ofHours(-1), Stream.of(uris).map(Authority::uri).toArray(GeneralName[]::new));
    }

    /** @param begin of its day of validity, from now */
    public Certified certify(Duration begin, GeneralName... names) {
        return certify(keyPair(), begin, names);
    }

    /** @param leaf of any kind */
    public Certified certify(KeyPair leaf, Duration begin, GeneralName... names) {
        X509Certificate issued = issue(
                principal("workload"), leaf.getPublic(), certificate.getSubjectX500Principal(), keys, validFrom(begin), false, names);
        return new Certified(issued, leaf.getPrivate());
    }

    /** As a certificate service does on a request. */
    public X509Certificate certify(PublicKey leaf, String uri) {
        return issue(principal("workload"), leaf, certificate.getSubjectX500Principal(), keys, validFrom(Duration.ofHours(-1)), false, uri(uri));
    }

    private static Instant validFrom(Duration begin) {
        return Instant.now().plus(begin);
    }

    private static X500Principal principal(String name) {
        return new X500Principal("CN=" + name);
    }

    private static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static X509Certificate issue(
            X500Principal subject, PublicKey of, X500Principal issuer, KeyPair by, Instant begin, boolean authority,
            GeneralName... names) {
        try {
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    issuer, new BigInteger(64, new SecureRandom()), Date.from(begin), Date.from(begin.plus(DAY)), subject,
                    of);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
            if (names.length > 0) {
                builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by.getPrivate())));
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new IllegalStateException(e);
        }
    }
}
