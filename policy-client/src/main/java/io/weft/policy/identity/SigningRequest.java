package io.weft.policy.identity;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.Signature;
import java.util.Base64;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/**
 * PKCS #10 (RFC 2986), by which whoever has the key asks for a certificate. It names nobody: who that is, is proved by the call that
 * carries it.
 */
public final class SigningRequest {
    private static final X500Name NOBODY = new X500Name("O=weft");

    /** RFC 8410. */
    private static final ASN1ObjectIdentifier ED25519 = new ASN1ObjectIdentifier("1.3.101.112");

    private SigningRequest() {}

    /** PEM, {@code CERTIFICATE REQUEST}. */
    public static String of(KeyType type, KeyPair pair) {
        CertificationRequestInfo info = new CertificationRequestInfo(
                NOBODY, SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()), new DERSet());
        try {
            Signature signature = Signature.getInstance(type.signature);
            signature.initSign(pair.getPrivate());
            signature.update(info.getEncoded(ASN1Encoding.DER));
            byte[] request = new CertificationRequest(info, algorithm(type), new DERBitString(signature.sign()))
                    .getEncoded(ASN1Encoding.DER);
            return "-----BEGIN CERTIFICATE REQUEST-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(request)
                    + "\n-----END CERTIFICATE REQUEST-----\n";
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("a key that was just made cannot sign", e);
        }
    }

    private static AlgorithmIdentifier algorithm(KeyType type) {
        return switch (type) {
            case EC_P256 -> new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);
            case RSA_2048 -> new AlgorithmIdentifier(PKCSObjectIdentifiers.sha256WithRSAEncryption, DERNull.INSTANCE);
            case ED25519 -> new AlgorithmIdentifier(ED25519);
        };
    }
}
