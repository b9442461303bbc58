package io.weft.controlplane.ca;

import java.io.IOException;
import java.io.StringReader;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/**
 * A PKCS #10 request whose sender has the key. Only the key counts: the names that a leaf gets are those that its sender has proved
 * otherwise.
 */
public record CertificateRequest(PublicKey key) {

    private static final int MAX_CHARS = 16_384;
    private static final int MIN_RSA_BITS = 2_048;
    private static final int MAX_RSA_BITS = 4_096;

    /** Nothing can be signed for it; the message is for the sender. */
    public static final class UnusableRequestException extends Exception {
        private static final long serialVersionUID = 1;

        UnusableRequestException(String message) {
            super(message);
        }
    }

    /** @param pem a {@code CERTIFICATE REQUEST} */
    public static CertificateRequest parse(String pem) throws UnusableRequestException {
        if (pem.length() > MAX_CHARS) {
            throw new UnusableRequestException("the request is longer than " + MAX_CHARS + " characters");
        }
        try (PEMParser parser = new PEMParser(new StringReader(pem))) {
            if (!(parser.readObject() instanceof PKCS10CertificationRequest request)) {
                throw new UnusableRequestException("csr must hold a PKCS #10 CERTIFICATE REQUEST in PEM");
            }
            PublicKey key = new JcaPKCS10CertificationRequest(request).getPublicKey();
            demandStrength(key);
            if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
                throw new UnusableRequestException("the request is not signed by its own key");
            }
            return new CertificateRequest(key);
        } catch (IOException | PKCSException | OperatorCreationException | GeneralSecurityException | RuntimeException e) {
            throw new UnusableRequestException("csr is no usable PKCS #10 request: " + e.getMessage());
        }
    }

    private static void demandStrength(PublicKey key) throws UnusableRequestException {
        if (key instanceof ECPublicKey ec) {
            int bits = ec.getParams().getOrder().bitLength();
            if (bits != 256 && bits != 384) {
                throw new UnusableRequestException("EC keys must be of P-256 or P-384");
            }
        } else if (key instanceof RSAPublicKey rsa) {
            int bits = rsa.getModulus().bitLength();
            if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
                throw new UnusableRequestException("RSA keys must have " + MIN_RSA_BITS + " to " + MAX_RSA_BITS + " bits, not " + bits);
            }
        } else if (!key.getAlgorithm().equals("EdDSA") && !key.getAlgorithm().equals("Ed25519")) {
            throw new UnusableRequestException("keys must be EC P-256, EC P-384, RSA or Ed25519, not " + key.getAlgorithm());
        }
    }
}
