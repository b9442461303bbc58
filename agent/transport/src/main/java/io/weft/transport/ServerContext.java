package io.weft.transport;

import io.weft.dataplane.Connection.Peer;
import io.weft.dataplane.Connection.Shown;
import io.weft.dataplane.ServerTls;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** A JSSE context for connections that this process accepts, with sessions of its own. Thread-safe. */
final class ServerContext implements ServerTls {
    private static final String NONE_CHOSEN = "";
    private static final String HTTP_2 = "h2";

    private final SSLContext context;
    /** Read only; every engine takes a copy. */
    private final SSLParameters parameters;
    private final List<String> alpn;
    private final TlsCertificate certificate;
    private final List<String> ownUriSans;
    private final Admission admission;
    /** Of clients that others have let in: many connections are of the same few. */
    private final Map<List<X509Certificate>, Boolean> checked = new ConcurrentHashMap<>();

    /** @param validation empty: nobody is asked for a certificate */
    private record Admission(Optional<CertificateValidation> validation, boolean certificateRequired) {}

    ServerContext(
            TlsContext.Parameters policy,
            List<String> alpn,
            TlsCertificate certificate,
            Optional<CertificateValidation> validation,
            boolean requireClientCertificate) {
        this.alpn = alpn;
        this.certificate = certificate;
        admission = new Admission(validation, requireClientCertificate);
        context = JsseContext.of(Optional.of(certificate), validation);
        parameters = JsseContext.parameters(context, policy);
        parameters.setUseCipherSuitesOrder(true);
        // JSSE has one field for both: the one set last counts.
        if (requireClientCertificate) {
            parameters.setNeedClientAuth(true);
        } else {
            parameters.setWantClientAuth(validation.isPresent());
        }
        try {
            ownUriSans = PeerNames.of(certificate.leaf()).uris();
        } catch (CertificateException e) {
            throw new IllegalArgumentException("the names of the own certificate cannot be read: " + e, e);
        }
    }

    @Override
    public SSLEngine engine(boolean http2) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setSSLParameters(parameters);
        // A list would fail the handshake of a client that offers only what is not in it, as every sidecar of Kuma does.
        engine.setHandshakeApplicationProtocolSelector((same, offered) -> choose(offered, http2));
        return engine;
    }

    /** The server's order counts, as with Envoy; without a match there is no protocol by ALPN. */
    private String choose(List<String> offered, boolean http2) {
        for (String protocol : alpn) {
            if (offered.contains(protocol) && (http2 || !protocol.equals(HTTP_2))) {
                return protocol;
            }
        }
        return NONE_CHOSEN;
    }

    @Override
    public Peer peer(SSLEngine engine) throws SSLPeerUnverifiedException {
        if (admission.validation.isEmpty()) {
            // What a client shows unasked and unchecked says nothing.
            return new Peer(List.of(), List.of(), "");
        }
        List<X509Certificate> chain = chain(engine.getSession());
        if (chain.isEmpty()) {
            return new Peer(List.of(), List.of(), "");
        }
        try {
            PeerNames names = PeerNames.of(chain.get(0));
            return new Peer(
                    names.uris(), names.dns(), chain.get(0).getSubjectX500Principal().getName(), new Shown(chain, ownUriSans));
        } catch (CertificateException e) {
            SSLPeerUnverifiedException unreadable = new SSLPeerUnverifiedException("the names of the client's certificate cannot be read");
            unreadable.initCause(e);
            throw unreadable;
        }
    }

    private static List<X509Certificate> chain(SSLSession session) {
        List<X509Certificate> chain = new ArrayList<>();
        try {
            for (Certificate shown : session.getPeerCertificates()) {
                chain.add((X509Certificate) shown);
            }
        } catch (SSLPeerUnverifiedException noneShown) {
            return List.of();
        }
        return chain;
    }

    @Override
    public boolean stillAdmits(Peer peer, ServerTls before) {
        if (before instanceof ServerContext other && other.admission.equals(admission)) {
            return true;
        }
        List<X509Certificate> chain = peer.shown().chain();
        return chain.isEmpty() ? !admission.certificateRequired : checked.computeIfAbsent(chain, this::isTrusted);
    }

    private boolean isTrusted(List<X509Certificate> chain) {
        if (admission.validation.isEmpty()) {
            return true;
        }
        try {
            new PeerCheck(admission.validation.get())
                    .checkClientTrusted(chain.toArray(X509Certificate[]::new), chain.get(0).getPublicKey().getAlgorithm());
            return true;
        } catch (CertificateException notAnyLonger) {
            return false;
        }
    }

    @Override
    public Instant expires() {
        return certificate.leaf().getNotAfter().toInstant();
    }

    @Override
    public boolean isValid(Instant now) {
        return !now.isBefore(certificate.leaf().getNotBefore().toInstant())
                && now.isBefore(certificate.leaf().getNotAfter().toInstant());
    }
}
