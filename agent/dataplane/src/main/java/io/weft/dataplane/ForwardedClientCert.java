package io.weft.dataplane;

import io.weft.dataplane.Connection.Peer;
import io.weft.policy.model.ClientCertificateHeader;
import io.weft.policy.model.ClientCertificateHeader.Detail;
import io.weft.policy.model.ClientCertificateHeader.Mode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/**
 * What the app is told of the client's certificate in {@code x-forwarded-client-cert}, as Envoy tells it: what a client claims itself is
 * taken out unless policy trusts it. Immutable.
 */
public final class ForwardedClientCert {
    private static final String HEADER = "x-forwarded-client-cert";

    private final ClientCertificateHeader policy;

    public ForwardedClientCert(ClientCertificateHeader policy) {
        this.policy = policy;
    }

    void apply(HttpStream request) {
        Mode mode = policy.mode();
        if (mode == Mode.ALWAYS_FORWARD_ONLY || mode == Mode.SANITIZE && request.head().header(HEADER) == null) {
            return;
        }
        Peer peer = mode == Mode.SANITIZE ? null : request.connection().peer();
        if (peer == null || peer.shown().chain().isEmpty()) {
            if (request.head().header(HEADER) != null) {
                request.requestHeaders().remove(HEADER);
            }
        } else if (mode != Mode.FORWARD_ONLY) {
            String value = (String) request.connection().kept(policy, absent -> value(peer));
            String before = mode == Mode.APPEND_FORWARD ? request.head().header(HEADER) : null;
            request.requestHeaders().set(HEADER, before == null ? value : before + ',' + value);
        }
    }

    private String value(Peer peer) {
        List<String> elements = new ArrayList<>();
        for (String uri : peer.shown().ownUriSans()) {
            elements.add("By=" + uri);
        }
        List<X509Certificate> chain = peer.shown().chain();
        elements.add("Hash=" + hash(chain.get(0)));
        if (policy.details().contains(Detail.CERT)) {
            elements.add("Cert=\"" + encoded(chain.subList(0, 1)) + '"');
        }
        if (policy.details().contains(Detail.CHAIN)) {
            elements.add("Chain=\"" + encoded(chain) + '"');
        }
        if (policy.details().contains(Detail.SUBJECT)) {
            elements.add("Subject=\"" + peer.subject() + '"');
        }
        if (policy.details().contains(Detail.URI)) {
            // The key is there even when there is no name.
            (peer.uriSans().isEmpty() ? List.of("") : peer.uriSans()).forEach(uri -> elements.add("URI=" + uri));
        }
        if (policy.details().contains(Detail.DNS)) {
            peer.dnsSans().forEach(dns -> elements.add("DNS=" + dns));
        }
        return String.join(";", elements);
    }

    private static String hash(X509Certificate certificate) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the client's certificate has no hash", e);
        }
    }

    private static String encoded(List<X509Certificate> chain) {
        StringBuilder pem = new StringBuilder();
        for (X509Certificate certificate : chain) {
            try {
                pem.append("-----BEGIN CERTIFICATE-----\n")
                        .append(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded()))
                        .append("\n-----END CERTIFICATE-----\n");
            } catch (CertificateEncodingException e) {
                throw new IllegalStateException("the client's certificate cannot be encoded", e);
            }
        }
        // A form would write a space as a plus.
        return URLEncoder.encode(pem.toString(), StandardCharsets.US_ASCII).replace("+", "%20");
    }
}
