package io.weft.controlplane.ca;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * A root that the operator brings.
 *
 * @param certificate PEM: what signs; where that is an intermediate one, then those up to the root
 * @param key PEM, for its owner only
 */
public record SuppliedRoot(Path certificate, Path key) {

    /** @throws IOException the files cannot be used; the message names them */
    public RootSet read(Instant now) throws IOException {
        try {
            List<X509Certificate> chain = Pem.certificates(Files.readString(certificate));
            Root root = new Root(
                    chain,
                    Pem.key(
                            new String(OwnerOnlyFile.read(key), StandardCharsets.US_ASCII),
                            chain.get(0).getPublicKey().getAlgorithm()));
            X509Certificate signer = root.certificate();
            boolean[] usage = signer.getKeyUsage();
            if (signer.getBasicConstraints() < 0 || usage != null && !usage[5]) {
                throw new IOException("it may not sign certificates: it is no CA, or its key usage lacks keyCertSign");
            }
            X509Certificate last = chain.get(chain.size() - 1);
            if (!isSignedBy(last, last)) {
                throw new IOException("the last certificate must be a root, signed by itself; add those up to the root");
            }
            for (int i = 1; i < chain.size(); i++) {
                if (!isSignedBy(chain.get(i - 1), chain.get(i))) {
                    throw new IOException("certificate " + i + " is not signed by the one after it;"
                            + " begin with the one that signs, and let each be followed by its issuer");
                }
            }
            if (!root.fits()) {
                throw new IOException("the key does not belong to the certificate");
            }
            root.demandValid(now);
            return RootSet.of(root);
        } catch (IOException | UnusableRootException e) {
            throw new IOException("the CA certificate " + certificate + " with key " + key + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static boolean isSignedBy(X509Certificate certificate, X509Certificate issuer) {
        if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
            return false;
        }
        try {
            certificate.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
