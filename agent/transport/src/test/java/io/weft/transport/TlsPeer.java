package io.weft.transport;

import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.TlsCertificate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/** A JSSE server on loopback that answers one byte with the same byte, and keeps the session of each handshake. */
final class TlsPeer implements AutoCloseable {
    private final SSLServerSocket server;
    private final BlockingQueue<SSLSession> sessions = new LinkedBlockingQueue<>();

    /** @param clients empty: none needs a certificate */
    TlsPeer(TlsCertificate certificate, Optional<CertificateValidation> clients, String... alpn) {
        SSLContext context = JsseContext.of(Optional.of(certificate), clients);
        try {
            server = (SSLServerSocket) context.getServerSocketFactory()
                    .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        SSLParameters parameters = server.getSSLParameters();
        parameters.setNeedClientAuth(clients.isPresent());
        parameters.setApplicationProtocols(alpn);
        server.setSSLParameters(parameters);
        Thread thread = new Thread(() -> serve(server, this::echo), "tls-peer");
        thread.setDaemon(true);
        thread.start();
    }

    InetSocketAddress address() {
        return (InetSocketAddress) server.getLocalSocketAddress();
    }

    /** Of the next handshake that was completed; null when there is none within a few seconds. */
    SSLSession session() throws InterruptedException {
        return sessions.poll(5, TimeUnit.SECONDS);
    }

    private void echo(Socket socket) throws IOException {
        try (SSLSocket tls = (SSLSocket) socket) {
            tls.startHandshake();
            int one = tls.getInputStream().read();
            if (one >= 0) {
                sessions.add(tls.getSession());
                tls.getOutputStream().write(one);
            }
        }
    }

    @FunctionalInterface
    interface Service {
        void serve(Socket socket) throws IOException;
    }

    /** One after the other, until the server socket is closed. */
    static void serve(ServerSocket server, Service service) {
        while (true) {
            Socket socket;
            try {
                socket = server.accept();
            } catch (IOException closed) {
                return;
            }
            try (socket) {
                service.serve(socket);
            } catch (IOException e) {
                // The client's side of it is what the test looks at.
                continue;
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
