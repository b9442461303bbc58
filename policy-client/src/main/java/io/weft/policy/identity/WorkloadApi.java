package io.weft.policy.identity;

import com.google.protobuf.CodedInputStream;
import io.weft.policy.model.CertificateValidation.TrustDomains;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.parse.CertificateText;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The X.509 profile of the SPIFFE Workload API: its address, and the messages of {@code FetchX509SVID}, which Envoy's API does not have.
 * As in SPIFFE's "The SPIFFE Workload API" and "The SPIFFE Workload Endpoint".
 */
public final class WorkloadApi {
    public static final String PATH = "/SpiffeWorkloadAPI/FetchX509SVID";

    /** By which the caller says that it is not somebody else's request that it passes on. */
    public static final Map<String, String> HEADERS = Map.of("workload.spiffe.io", "true");

    private static final String SCHEME = "spiffe://";

    private WorkloadApi() {}

    /** {@code X509SVIDRequest}: empty, as the kernel says who calls. */
    public static byte[] request() {
        return new byte[0];
    }

    /**
     * Where it listens, as {@code SPIFFE_ENDPOINT_SOCKET} has it.
     *
     * @throws IllegalArgumentException not {@code unix:///path} or {@code tcp://address:port}
     */
    public static SocketAddress address(URI uri) {
        if ("unix".equals(uri.getScheme()) && uri.getRawAuthority() == null && uri.getPath() != null && uri.getPath().startsWith("/")) {
            return UnixDomainSocketAddress.of(Path.of(uri.getPath()));
        }
        if ("tcp".equals(uri.getScheme()) && uri.getHost() != null && uri.getPort() > 0) {
            return new InetSocketAddress(uri.getHost(), uri.getPort());
        }
        throw new IllegalArgumentException("SPIFFE Workload API at " + uri + ": write unix:///PATH, or tcp://ADDRESS:PORT");
    }

    /**
     * Reads an {@code X509SVIDResponse}. Of several identities the first is taken, which SPIFFE calls the default one. Whom to trust is said for
     * each trust domain by itself.
     *
     * @throws CertificateException it is none, or does not fit together
     */
    public static HeldIdentity identity(byte[] response) throws CertificateException {
        Svid first = null;
        Map<String, List<X509Certificate>> authorities = new HashMap<>();
        try {
            CodedInputStream input = CodedInputStream.newInstance(response);
            for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
                switch (tag >>> 3) {
                    case 1 -> {
                        Svid svid = Svid.of(input.readByteArray());
                        first = first == null ? svid : first;
                    }
                    case 3 -> {
                        Entry federated = Entry.of(input.readByteArray());
                        authorities.put(domain(federated.trustDomain), CertificateText.certificates(federated.bundle));
                    }
                    case 2 -> throw new CertificateException("carries revocation lists, by which nobody here can go; have it send none");
                    default -> input.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw new CertificateException("is no X509SVIDResponse: " + e.getMessage(), e);
        }
        if (first == null) {
            throw new CertificateException("holds no identity");
        }
        TlsCertificate certificate = CertificateText.identityOfDer(first.chain, first.key);
        if (!certificate.uri().equals(first.spiffeId)) {
            throw new CertificateException("names " + first.spiffeId + ", but its certificate " + certificate.uri());
        }
        authorities.put(domain(first.spiffeId), CertificateText.certificates(first.bundle));
        return new HeldIdentity(certificate, new TrustDomains(authorities));
    }

    /** Of a SPIFFE ID, or of a trust domain as it is written or as its ID. */
    private static String domain(String id) {
        String rest = id.startsWith(SCHEME) ? id.substring(SCHEME.length()) : id;
        int slash = rest.indexOf('/');
        return slash < 0 ? rest : rest.substring(0, slash);
    }

    /** {@code X509SVID}. */
    private record Svid(String spiffeId, byte[] chain, byte[] key, byte[] bundle) {
        static Svid of(byte[] message) throws IOException {
            String spiffeId = "";
            byte[] chain = {};
            byte[] key = {};
            byte[] bundle = {};
            CodedInputStream input = CodedInputStream.newInstance(message);
            for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
                switch (tag >>> 3) {
                    case 1 -> spiffeId = input.readStringRequireUtf8();
                    case 2 -> chain = input.readByteArray();
                    case 3 -> key = input.readByteArray();
                    case 4 -> bundle = input.readByteArray();
                    default -> input.skipField(tag);
                }
            }
            return new Svid(spiffeId, chain, key, bundle);
        }
    }

    /** Of the map {@code federated_bundles}. */
    private record Entry(String trustDomain, byte[] bundle) {
        static Entry of(byte[] message) throws IOException {
            String trustDomain = "";
            byte[] bundle = {};
            CodedInputStream input = CodedInputStream.newInstance(message);
            for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
                switch (tag >>> 3) {
                    case 1 -> trustDomain = input.readStringRequireUtf8();
                    case 2 -> bundle = input.readByteArray();
                    default -> input.skipField(tag);
                }
            }
            return new Entry(trustDomain, bundle);
        }
    }
}
