package io.weft.policy.parse;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;

/** Certificates and keys as control planes send them: PEM, with whatever text stands between the blocks. */
final class Pem {
    /** RFC 8410. */
    private static final String ED25519 = "1.3.101.112";
    private static final Map<String, String> ALGORITHMS = Map.of(
            PKCSObjectIdentifiers.rsaEncryption.getId(), "RSA",
            X9ObjectIdentifiers.id_ecPublicKey.getId(), "EC",
            ED25519, "Ed25519");

    /** By the name that a private key of {@link #ALGORITHMS} gives its own kind. */
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA", "Ed25519", "Ed25519");

    private static final byte[] PROBE = "a key and its certificate".getBytes(StandardCharsets.US_ASCII);

    private Pem() {}

    /** At least one. */
    static List<X509Certificate> certificates(Field field, byte[] pem) {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Certificate certificate : factory.generateCertificates(new ByteArrayInputStream(pem))) {
                certificates.add((X509Certificate) certificate);
            }
        } catch (CertificateException e) {
            throw field.refuse("is no PEM of X.509 certificates: " + e.getMessage());
        }
        if (certificates.isEmpty()) {
            throw field.refuse("holds no certificate; send PEM, -----BEGIN CERTIFICATE-----");
        }
        return certificates;
    }

    /** PKCS#8, or the older forms for RSA and EC keys that Kuma and Istio write. */
    static PrivateKey privateKey(Field field, byte[] pem) {
        PrivateKeyInfo key;
        try (PemReader reader = new PemReader(new StringReader(new String(pem, StandardCharsets.US_ASCII)))) {
            PemObject block = reader.readPemObject();
            // OpenSSL puts the parameters of a curve before the key.
            while (block != null && !block.getType().endsWith("PRIVATE KEY")) {
                block = reader.readPemObject();
            }
            if (block == null) {
                throw field.refuse("holds no private key; send PEM, -----BEGIN PRIVATE KEY-----");
            }
            if (block.getType().startsWith("ENCRYPTED") || !block.getHeaders().isEmpty()) {
                throw field.refuse("is encrypted; send the key unencrypted");
            }
            key = info(block);
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            // Without the message, which may quote the key.
            throw field.refuse("is no PEM of a private key; send -----BEGIN PRIVATE KEY-----, Base64 of PKCS#8");
        }
        return privateKey(field, key);
    }

    /** PKCS#8. */
    static PrivateKey privateKeyOfDer(Field field, byte[] der) {
        try {
            return privateKey(field, PrivateKeyInfo.getInstance(der));
        } catch (IllegalArgumentException | IllegalStateException e) {
            // Without the message, which may quote the key.
            throw field.refuse("is no PKCS#8 of a private key");
        }
    }

    private static PrivateKey privateKey(Field field, PrivateKeyInfo key) {
        String algorithm = ALGORITHMS.get(key.getPrivateKeyAlgorithm().getAlgorithm().getId());
        if (algorithm == null) {
            throw field.refuse("is a private key of a kind that is not supported; use EC, RSA or Ed25519");
        }
        try {
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(key.getEncoded()));
        } catch (GeneralSecurityException | IOException e) {
            throw field.refuse("is a malformed " + algorithm + " key, or on a curve that this JDK does not know");
        }
    }

    private static PrivateKeyInfo info(PemObject block) throws IOException {
        return switch (block.getType()) {
            case "RSA PRIVATE KEY" -> new PrivateKeyInfo(
                    new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                    RSAPrivateKey.getInstance(block.getContent()));
            case "EC PRIVATE KEY" -> {
                ECPrivateKey key = ECPrivateKey.getInstance(block.getContent());
                yield new PrivateKeyInfo(
                        new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, key.getParametersObject()), key);
            }
            default -> PrivateKeyInfo.getInstance(block.getContent());
        };
    }

    /** Whether what the private key signs is what the certified one verifies. */
    static boolean fits(PrivateKey key, PublicKey certified) {
        try {
            Signature signature = Signature.getInstance(SIGNATURES.get(key.getAlgorithm()));
            signature.initSign(key);
            signature.update(PROBE);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(PROBE);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            // A key of another kind, or on another curve.
            return false;
        }
    }
}
