package io.weft.controlplane.ca;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A certificate that signs leaves, and its key.
 *
 * @param chain the certificate that signs; where that is an intermediate one, those between it and the root
 */
public record Root(List<X509Certificate> chain, PrivateKey key) {

    static final Duration LIFETIME = Duration.ofDays(3_650);

    public Root {
        chain = List.copyOf(chain);
    }

    X509Certificate certificate() {
        return chain.get(0);
    }

    /** When the first of the chain ends. */
    Instant end() {
        return chain.stream().map(each -> each.getNotAfter().toInstant()).min(Instant::compareTo).orElseThrow();
    }

    /** @throws UnusableRootException one of the chain has ended or has not begun */
    void demandValid(Instant now) throws UnusableRootException {
        for (X509Certificate each : chain) {
            if (!now.isBefore(each.getNotAfter().toInstant())) {
                throw new UnusableRootException("the CA certificate " + each.getSubjectX500Principal() + " has expired on "
                        + each.getNotAfter().toInstant() + "; replace it");
            }
            if (now.isBefore(each.getNotBefore().toInstant())) {
                throw new UnusableRootException("the CA certificate " + each.getSubjectX500Principal() + " is not valid before "
                        + each.getNotBefore().toInstant() + "; set this machine's clock, or replace it");
            }
        }
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "Root[" + certificate().getSubjectX500Principal() + ", serial " + certificate().getSerialNumber().toString(16) + "]";
    }

    /** A new one, EC P-256, for ten years. */
    static Root generate(String mesh, Instant now) {
        KeyPair pair = newKey();
        return new Root(List.of(CertificateBuilder.root(mesh, pair, now, LIFETIME)), pair.getPrivate());
    }

    /** EC P-256. */
    public static KeyPair newKey() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has EC P-256", e);
        }
    }

    /** Whether the key is that of the certificate. */
    boolean fits() {
        try {
            Signature signature = Signature.getInstance(CertificateBuilder.signatureAlgorithm(key));
            signature.initSign(key);
            byte[] challenge = certificate().getTBSCertificate();
            signature.update(challenge);
            byte[] signed = signature.sign();
            signature.initVerify(certificate().getPublicKey());
            signature.update(challenge);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
