package io.weft.policy.parse;

import io.weft.policy.model.TlsCertificate;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/** Certificates and keys that come from elsewhere than xDS, read as those are. */
public final class CertificateText {
    private CertificateText() {}

    /**
     * At least one, as PEM or as DER, one after the other.
     *
     * @throws CertificateException it holds none, or something else
     */
    public static List<X509Certificate> certificates(byte[] text) throws CertificateException {
        try {
            return Pem.certificates(Field.root(new ArrayList<>()).at("certificate"), text);
        } catch (Refusal e) {
            throw refused(e);
        }
    }

    /** @throws CertificateException they cannot be read, or do not belong together */
    public static TlsCertificate identity(byte[] chain, byte[] key) throws CertificateException {
        try {
            return joined(certificates(chain), Pem.privateKey(Field.root(new ArrayList<>()).at("key"), key));
        } catch (Refusal e) {
            throw refused(e);
        }
    }

    /**
     * Of DER: certificates one after the other, and PKCS#8.
     *
     * @throws CertificateException they cannot be read, or do not belong together
     */
    public static TlsCertificate identityOfDer(byte[] chain, byte[] key) throws CertificateException {
        try {
            return joined(certificates(chain), Pem.privateKeyOfDer(Field.root(new ArrayList<>()).at("key"), key));
        } catch (Refusal e) {
            throw refused(e);
        }
    }

    private static TlsCertificate joined(List<X509Certificate> chain, PrivateKey key) throws CertificateException {
        if (!Pem.fits(key, chain.get(0).getPublicKey())) {
            throw new CertificateException("the key does not belong to the certificate");
        }
        return new TlsCertificate(chain, key);
    }

    private static CertificateException refused(Refusal refusal) {
        return new CertificateException("the " + refusal.path() + ' ' + refusal.getMessage());
    }
}
