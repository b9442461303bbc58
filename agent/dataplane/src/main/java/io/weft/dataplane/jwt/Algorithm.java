package io.weft.dataplane.jwt;

import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import javax.crypto.Mac;

/** The signature algorithms of RFC 7518 and RFC 8037 that Envoy knows, by the JDK's names. {@code none} is not among them. */
enum Algorithm {
    RS256("RSA", "SHA256withRSA"),
    RS384("RSA", "SHA384withRSA"),
    RS512("RSA", "SHA512withRSA"),
    PS256("RSA", "RSASSA-PSS", pss("SHA-256", MGF1ParameterSpec.SHA256, 32)),
    PS384("RSA", "RSASSA-PSS", pss("SHA-384", MGF1ParameterSpec.SHA384, 48)),
    PS512("RSA", "RSASSA-PSS", pss("SHA-512", MGF1ParameterSpec.SHA512, 64)),
    ES256("EC", "SHA256withECDSAinP1363Format"),
    ES384("EC", "SHA384withECDSAinP1363Format"),
    ES512("EC", "SHA512withECDSAinP1363Format"),
    EdDSA("OKP", "Ed25519"),
    HS256("oct", "HmacSHA256"),
    HS384("oct", "HmacSHA384"),
    HS512("oct", "HmacSHA512");

    private final String keyType;
    private final String name;
    /** Null: none. */
    private final AlgorithmParameterSpec parameters;

    Algorithm(String keyType, String name) {
        this(keyType, name, null);
    }

    Algorithm(String keyType, String name, AlgorithmParameterSpec parameters) {
        this.keyType = keyType;
        this.name = name;
        this.parameters = parameters;
    }

    private static AlgorithmParameterSpec pss(String digest, MGF1ParameterSpec mask, int saltLength) {
        return new PSSParameterSpec(digest, "MGF1", mask, saltLength, PSSParameterSpec.TRAILER_FIELD_BC);
    }

    static boolean isKnown(String alg) {
        for (Algorithm algorithm : values()) {
            if (algorithm.name().equals(alg)) {
                return true;
            }
        }
        return false;
    }

    /** {@code kty} of the keys that it is for. */
    String keyType() {
        return keyType;
    }

    /** A key or signature of the wrong size or shape does not verify. */
    boolean verifies(Key key, byte[] signed, byte[] signature) {
        try {
            if (!(key instanceof PublicKey publicKey)) {
                Mac mac = Mac.getInstance(name);
                mac.init(key);
                return MessageDigest.isEqual(mac.doFinal(signed), signature);
            }
            Signature verifier = Signature.getInstance(name);
            if (parameters != null) {
                verifier.setParameter(parameters);
            }
            verifier.initVerify(publicKey);
            verifier.update(signed);
            return verifier.verify(signature);
        } catch (GeneralSecurityException doesNotFit) {
            return false;
        }
    }
}
