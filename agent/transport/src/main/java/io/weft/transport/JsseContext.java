package io.weft.transport;

import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TlsContext.Version;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;

/** What contexts of both sides have in common. */
final class JsseContext {
    private JsseContext() {}

    /**
     * @param certificate what this side shows; empty: nothing
     * @param validation empty: any peer will do, and none has an identity
     * @throws IllegalArgumentException this JDK cannot do what policy says
     */
    static SSLContext of(Optional<TlsCertificate> certificate, Optional<CertificateValidation> validation) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    certificate.<KeyManager[]>map(own -> new KeyManager[] {new OwnCertificate(own)}).orElse(new KeyManager[0]),
                    new TrustManager[] {validation.<TrustManager>map(PeerCheck::new).orElseGet(AnyPeer::new)},
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("this JDK cannot make a TLS context: " + e, e);
        }
    }

    static SSLParameters parameters(SSLContext context, TlsContext.Parameters policy) {
        SSLParameters parameters = context.getSupportedSSLParameters();
        List<String> protocols = new ArrayList<>(2);
        for (Version version : Version.values()) {
            if (version.compareTo(policy.minimum()) >= 0 && version.compareTo(policy.maximum()) <= 0) {
                protocols.add(version == Version.TLS_1_2 ? "TLSv1.2" : "TLSv1.3");
            }
        }
        parameters.setProtocols(protocols.toArray(String[]::new));
        parameters.setCipherSuites(suites(context, policy));
        // Who the peer must be is checked against policy, not against the address.
        parameters.setEndpointIdentificationAlgorithm(null);
        return parameters;
    }

    /** What policy lists is for TLS 1.2; that of 1.3 is not negotiable, in Envoy neither. What the JDK has disabled stays so. */
    private static String[] suites(SSLContext context, TlsContext.Parameters policy) {
        String[] byDefault = context.getDefaultSSLParameters().getCipherSuites();
        if (policy.cipherSuites().isEmpty()) {
            return byDefault;
        }
        Set<String> wanted = CipherSuites.jsse(policy.cipherSuites());
        return Arrays.stream(byDefault)
                .filter(suite -> CipherSuites.isTls13(suite) || wanted.contains(suite))
                .toArray(String[]::new);
    }
}
