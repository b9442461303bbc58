package io.weft.transport;

import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** A JSSE context for connections that this process opens, with sessions of its own. Thread-safe. */
final class ClientContext implements ClientTls {
    private static final int HOST_NAME = 0;
    /** The libraries that are served speak HTTP/1.1 over it: a peer must not choose what they do not speak. */
    private static final Set<String> HTTP_2 = Set.of("h2", "istio-h2");
    /**
     * Of a mesh of Istio, where a filter in front of each request puts names before it that say what is spoken: by them the other side
     * tells mesh TLS from the app's own, and HTTP from what it must not look into.
     */
    private static final String ISTIO = "istio";

    private static final AtomicLong NUMBERS = new AtomicLong();

    private final String id = "mesh-tls-" + NUMBERS.incrementAndGet();
    private final SSLContext context;
    private final ClientConnections connections;
    /** Read only; every engine and socket takes a copy. */
    private final SSLParameters parameters;
    /** Likewise. */
    private final SSLParameters http2;

    ClientContext(
            TlsContext.Parameters policy,
            List<String> alpn,
            String sni,
            Optional<TlsCertificate> certificate,
            Optional<CertificateValidation> validation) {
        context = JsseContext.of(certificate, validation);
        connections = new ClientConnections(
                InstantSource.system(), certificate.map(own -> own.leaf().getNotAfter().getTime()).orElse(Long.MAX_VALUE));
        boolean istio = alpn.contains(ISTIO);
        parameters = parameters(policy, sni, istio
                ? List.of("istio-http/1.1", ISTIO, "http/1.1")
                : alpn.stream().filter(protocol -> !HTTP_2.contains(protocol)).toList());
        http2 = parameters(policy, sni, istio ? List.of("istio-h2", ISTIO, "h2") : alpn.isEmpty() ? List.of("h2") : alpn);
    }

    private SSLParameters parameters(TlsContext.Parameters policy, String sni, List<String> alpn) {
        SSLParameters made = JsseContext.parameters(context, policy);
        made.setApplicationProtocols(alpn.toArray(String[]::new));
        // Where none is set, JSSE would send the name of the peer.
        made.setServerNames(sni.isEmpty() ? List.of() : List.of(new AnyName(sni)));
        return made;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public ClientConnections connections() {
        return connections;
    }

    @Override
    public SSLEngine engine(InetSocketAddress peer) {
        return engine(peer, parameters);
    }

    @Override
    public SSLEngine http2Engine(InetSocketAddress peer) {
        return engine(peer, http2);
    }

    private SSLEngine engine(InetSocketAddress peer, SSLParameters parameters) {
        SSLEngine engine = context.createSSLEngine(peer.getAddress().getHostAddress(), peer.getPort());
        engine.setUseClientMode(true);
        engine.setSSLParameters(parameters);
        return engine;
    }

    @Override
    public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) throws IOException {
        return layer(connected, peer, parameters, limitNanos);
    }

    @Override
    public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) throws IOException {
        return layer(connected, peer, http2, limitNanos);
    }

    private SSLSocket layer(Socket connected, InetSocketAddress peer, SSLParameters parameters, long limitNanos) throws IOException {
        int patience = connected.getSoTimeout();
        SSLSocket secured;
        if (limitNanos == UNLIMITED) {
            connected.setSoTimeout(0);
            secured = handshaken(connected, peer, parameters);
        } else {
            HandshakeSocket below = new HandshakeSocket(connected, limitNanos);
            secured = handshaken(below, peer, parameters);
            below.isDone();
        }
        connected.setSoTimeout(patience);
        return secured;
    }

    private SSLSocket handshaken(Socket connected, InetSocketAddress peer, SSLParameters parameters) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(connected, peer.getAddress().getHostAddress(), peer.getPort(), true);
        try {
            socket.setUseClientMode(true);
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return socket;
        } catch (SocketTimeoutException e) {
            // For the app it is a connection that did not come about in time, as one without TLS would be.
            socket.close();
            throw e;
        } catch (IOException | RuntimeException e) {
            socket.close();
            ConnectException failure = new ConnectException("mesh TLS to " + peer + " failed: " + e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    /** {@link javax.net.ssl.SNIHostName} refuses what Istio and Kuma send: names with {@code _}, <code>{</code> or {@code =}. */
    private static final class AnyName extends SNIServerName {
        AnyName(String name) {
            super(HOST_NAME, name.getBytes(StandardCharsets.UTF_8));
        }
    }
}
