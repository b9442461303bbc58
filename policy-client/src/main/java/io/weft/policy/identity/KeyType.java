package io.weft.policy.identity;

import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.spec.ECGenParameterSpec;

/** What key a process makes for itself. */
public enum KeyType {
    EC_P256("EC", "SHA256withECDSA") {
        @Override
        void initialize(KeyPairGenerator generator) throws InvalidAlgorithmParameterException {
            generator.initialize(new ECGenParameterSpec("secp256r1"));
        }
    },
    RSA_2048("RSA", "SHA256withRSA") {
        @Override
        void initialize(KeyPairGenerator generator) {
            generator.initialize(2048);
        }
    },
    ED25519("Ed25519", "Ed25519") {
        @Override
        void initialize(KeyPairGenerator generator) {
            // There is only one size.
        }
    };

    private final String algorithm;
    final String signature;

    KeyType(String algorithm, String signature) {
        this.algorithm = algorithm;
        this.signature = signature;
    }

    abstract void initialize(KeyPairGenerator generator) throws InvalidAlgorithmParameterException;

    /** A new pair. Takes some milliseconds, for RSA some hundred. */
    public KeyPair generate() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            initialize(generator);
            return generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JDK makes no keys for " + algorithm, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK does not make the keys for " + algorithm + " that are usual", e);
        }
    }
}
