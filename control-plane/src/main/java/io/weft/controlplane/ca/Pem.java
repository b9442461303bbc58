package io.weft.controlplane.ca;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemWriter;

/** Certificates and keys as text. */
public final class Pem {

    private Pem() {}

    public static String of(Collection<X509Certificate> certificates) {
        StringBuilder text = new StringBuilder();
        for (X509Certificate certificate : certificates) {
            text.append(of(certificate));
        }
        return text.toString();
    }

    public static String of(X509Certificate certificate) {
        try {
            return write("CERTIFICATE", certificate.getEncoded());
        } catch (CertificateException e) {
            throw new IllegalArgumentException("a certificate that was parsed can be encoded", e);
        }
    }

    /** PKCS #8, not encrypted. */
    public static String of(PrivateKey key) {
        return write("PRIVATE KEY", key.getEncoded());
    }

    private static String write(String type, byte[] content) {
        StringWriter text = new StringWriter();
        try (PemWriter writer = new PemWriter(text)) {
            writer.writeObject(new PemObject(type, content));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("into a string", e);
        }
        return text.toString();
    }

    /**
     * At least one.
     *
     * @throws IOException it holds none, or something else
     */
    public static List<X509Certificate> certificates(String text) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            for (var certificate : CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII)))) {
                certificates.add((X509Certificate) certificate);
            }
        } catch (CertificateException e) {
            throw new IOException("is not a list of certificates in PEM: " + e.getMessage(), e);
        }
        if (certificates.isEmpty()) {
            throw new IOException("holds no certificate in PEM");
        }
        return certificates;
    }

    /**
     * @param algorithm of the certificate's public key
     * @throws IOException it is not a key of that algorithm, as PKCS #8, PKCS #1 or SEC 1, without a password
     */
    public static PrivateKey key(String text, String algorithm) throws IOException {
        try (PEMParser parser = new PEMParser(new StringReader(text))) {
            for (Object object = parser.readObject(); object != null; object = parser.readObject()) {
                if (object instanceof PEMKeyPair pair) {
                    return new JcaPEMKeyConverter().getKeyPair(pair).getPrivate();
                }
                if (object instanceof PrivateKeyInfo info) {
                    return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
                }
            }
        } catch (GeneralSecurityException | RuntimeException e) {
            throw new IOException("is not a private key for " + algorithm + ": " + e.getMessage(), e);
        }
        throw new IOException("holds no private key in PEM without a password");
    }
}
