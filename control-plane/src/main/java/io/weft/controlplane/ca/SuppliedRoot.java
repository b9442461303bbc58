package io.weft.controlplane.ca;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
            if (!last.getIssuerX500Principal().equals(last.getSubjectX500Principal())) {
                throw new IOException("the last certificate must be a root, signed by itself; add those up to the root");
            }
            if (!root.fits()) {
                throw new IOException("the key does not belong to the certificate");
            }
            if (now.isAfter(signer.getNotAfter().toInstant())) {
                throw new IOException("it has expired on " + signer.getNotAfter().toInstant());
            }
            return RootSet.of(root);
        } catch (IOException e) {
            throw new IOException("the CA certificate " + certificate + " with key " + key + " cannot be used: " + e.getMessage(), e);
        }
    }
}
