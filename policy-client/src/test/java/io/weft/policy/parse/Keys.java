package io.weft.policy.parse;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** A key pair and a certificate for it, in the forms in which control planes send them. */
record Keys(KeyPair pair, String certificate) {

    /** @param algorithm {@code RSA} or {@code EC} */
    static Keys of(String algorithm) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(algorithm.equals("RSA") ? 2048 : 256);
            KeyPair pair = generator.generateKeyPair();
            X500Principal name = new X500Principal("CN=orders");
            Instant now = Instant.now();
            var certificate = new JcaX509v3CertificateBuilder(
                            name, BigInteger.ONE, Date.from(now.minus(Duration.ofHours(1))),
                            Date.from(now.plus(Duration.ofHours(1))), name, pair.getPublic())
                    .build(new JcaContentSignerBuilder(algorithm.equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA")
                            .build(pair.getPrivate()));
            return new Keys(pair, pem(certificate));
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** {@code BEGIN RSA PRIVATE KEY} or {@code BEGIN EC PRIVATE KEY}. */
    String traditionalKey() {
        if (pair.getPrivate() instanceof java.security.interfaces.ECPrivateKey key) {
            // As OpenSSL and Go write it, with the curve, which Bouncy Castle's own writer leaves out.
            try {
                return pem(new PemObject("EC PRIVATE KEY",
                        new ECPrivateKey(256, key.getS(), SECObjectIdentifiers.secp256r1).getEncoded()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return pem(pair.getPrivate());
    }

    String pkcs8Key() {
        try {
            return pem(new JcaPKCS8Generator(pair.getPrivate(), null));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String pem(Object object) {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(object);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }
}
