package io.weft.transport;

import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.Authorities;
import io.weft.policy.model.CertificateValidation.SystemAuthorities;
import io.weft.policy.model.CertificateValidation.TrustDomains;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Whether the peer is one that policy admits: its chain leads to an authority (of its own trust domain, where policy tells them
 * apart), it has one of the names, and one of the pinned hashes where there are any. Thread-safe.
 */
final class PeerCheck extends X509ExtendedTrustManager {
    private static final String SPIFFE = "spiffe://";

    private final CertificateValidation policy;
    private final NameCheck names;
    /** Null where the trust domain decides. */
    private final X509TrustManager authorities;
    private final Map<String, X509TrustManager> ofTrustDomain = new HashMap<>();

    PeerCheck(CertificateValidation policy) {
        this.policy = policy;
        names = new NameCheck(policy.subjectAltNames());
        if (policy.trust() instanceof TrustDomains domains) {
            authorities = null;
            domains.authorities().forEach((domain, certificates) -> ofTrustDomain.put(domain, pkix(Optional.of(certificates))));
        } else if (policy.trust() instanceof SystemAuthorities) {
            authorities = pkix(Optional.empty());
        } else {
            authorities = pkix(Optional.of(policy.trust() instanceof Authorities some ? some.certificates() : List.of()));
        }
    }

    private static X509TrustManager pkix(Optional<List<X509Certificate>> certificates) {
        try {
            KeyStore store = null;
            if (certificates.isPresent()) {
                if (certificates.get().isEmpty()) {
                    return new NobodyTrusted();
                }
                store = KeyStore.getInstance("PKCS12");
                store.load(null, null);
                int number = 0;
                for (X509Certificate certificate : certificates.get()) {
                    store.setCertificateEntry("authority-" + number++, certificate);
                }
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509TrustManager x509) {
                    return x509;
                }
            }
            throw new IllegalArgumentException("this JDK has no PKIX trust manager");
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("this JDK cannot check certificates: " + e, e);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        authorities(chain[0]).checkClientTrusted(chain, authType);
        checkPeer(chain[0]);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        authorities(chain[0]).checkServerTrusted(chain, authType);
        checkPeer(chain[0]);
    }

    private X509TrustManager authorities(X509Certificate leaf) throws CertificateException {
        if (authorities != null) {
            return authorities;
        }
        String domain = trustDomain(leaf);
        X509TrustManager own = ofTrustDomain.get(domain);
        if (own == null) {
            throw new CertificateException("the peer is of the trust domain '" + domain + "', for which no authority is trusted");
        }
        return own;
    }

    /** Several SPIFFE IDs are in order, as legacy Kuma has them, but not of several domains. */
    private static String trustDomain(X509Certificate leaf) throws CertificateException {
        String domain = null;
        for (String uri : PeerNames.of(leaf).uris()) {
            if (uri.regionMatches(true, 0, SPIFFE, 0, SPIFFE.length())) {
                int end = uri.indexOf('/', SPIFFE.length());
                String found = uri.substring(SPIFFE.length(), end < 0 ? uri.length() : end).toLowerCase(Locale.ROOT);
                if (domain != null && !domain.equals(found)) {
                    throw new CertificateException("the peer has SPIFFE IDs of two trust domains, " + domain + " and " + found);
                }
                domain = found;
            }
        }
        if (domain == null) {
            throw new CertificateException("the peer's certificate has no SPIFFE ID");
        }
        return domain;
    }

    private void checkPeer(X509Certificate leaf) throws CertificateException {
        names.check(leaf);
        if (policy.certificateHashes().isEmpty() && policy.publicKeyHashes().isEmpty()) {
            return;
        }
        String certificate = HexFormat.of().formatHex(sha256(leaf.getEncoded()));
        String publicKey = Base64.getEncoder().encodeToString(sha256(leaf.getPublicKey().getEncoded()));
        if (!policy.certificateHashes().contains(certificate) && !policy.publicKeyHashes().contains(publicKey)) {
            throw new CertificateException("the peer's certificate (SHA-256 " + certificate + ") is not one of those pinned");
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    // JSSE's endpoint identification and per-connection algorithm constraints have nothing to add: names are checked here.

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
        checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
        checkServerTrusted(chain, authType);
    }

    /** Named in a server's request for a certificate; none, as Envoy sends them only when told to: clients send what they have. */
    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }

    /** A validation without authorities. */
    private static final class NobodyTrusted implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("policy names no authority that is trusted");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("policy names no authority that is trusted");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
