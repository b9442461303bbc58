package io.weft.policy.parse;

import io.weft.policy.model.TlsCertificate;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/** PEM that comes from elsewhere than xDS, read as that is. */
public final class CertificateText {
    private CertificateText() {}

    /**
     * At least one.
     *
     * @throws CertificateException it holds none, or something else
     */
    public static List<X509Certificate> certificates(byte[] pem) throws CertificateException {
        try {
            return Pem.certificates(Field.root(new ArrayList<>()).at("certificate"), pem);
        } catch (Refusal e) {
            throw refused(e);
        }
    }

    /** @throws CertificateException they cannot be read, or do not belong together */
    public static TlsCertificate identity(byte[] chain, byte[] key) throws CertificateException {
        List<X509Certificate> certificates = certificates(chain);
        try {
            PrivateKey read = Pem.privateKey(Field.root(new ArrayList<>()).at("key"), key);
            if (!Pem.fits(read, certificates.get(0).getPublicKey())) {
                throw new CertificateException("the key does not belong to the certificate");
            }
            return new TlsCertificate(certificates, read);
        } catch (Refusal e) {
            throw refused(e);
        }
    }

    private static CertificateException refused(Refusal refusal) {
        return new CertificateException("the " + refusal.path() + ' ' + refusal.getMessage());
    }
}
