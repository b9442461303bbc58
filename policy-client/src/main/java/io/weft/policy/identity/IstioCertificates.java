package io.weft.policy.identity;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.parse.CertificateText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/** The two messages of {@code istio.v1.auth.IstioCertificateService}, which Envoy's API does not have. */
public final class IstioCertificates {
    public static final String PATH = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    private static final int CSR = 1;
    private static final int CERTIFICATE_CHAIN = 1;
    private static final int CHAIN_TAG = CERTIFICATE_CHAIN << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;

    private IstioCertificates() {}

    /** {@code IstioCertificateRequest}; how long the certificate lives is up to the issuer. */
    public static byte[] request(String csr) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(csr.length() + 8);
        CodedOutputStream output = CodedOutputStream.newInstance(bytes);
        try {
            output.writeString(CSR, csr);
            output.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("into memory", e);
        }
        return bytes.toByteArray();
    }

    /**
     * Reads an {@code IstioCertificateResponse}: the leaf first, roots last.
     *
     * @throws CertificateException it is none, or not for this key
     */
    public static HeldIdentity identity(byte[] response, KeyPair pair) throws CertificateException {
        List<List<X509Certificate>> parts = new ArrayList<>();
        try {
            CodedInputStream input = CodedInputStream.newInstance(response);
            for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
                if (tag == CHAIN_TAG) {
                    parts.add(CertificateText.certificates(input.readStringRequireUtf8().getBytes(StandardCharsets.US_ASCII)));
                } else {
                    input.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw new CertificateException("is no IstioCertificateResponse: " + e.getMessage(), e);
        }
        if (parts.size() < 2) {
            throw new CertificateException("has " + parts.size() + " certificates; a leaf and a root are needed");
        }
        List<X509Certificate> chain = new ArrayList<>();
        parts.subList(0, parts.size() - 1).forEach(chain::addAll);
        if (!chain.get(0).getPublicKey().equals(pair.getPublic())) {
            throw new CertificateException("certifies another key than the one that was sent");
        }
        return new HeldIdentity(
                new TlsCertificate(chain, pair.getPrivate()), new CertificateValidation.Authorities(parts.get(parts.size() - 1)));
    }
}
