package io.weft.controlplane.injector;

import io.weft.controlplane.ca.Pem;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * How many pods a second one replica takes, over HTTPS on connections that are kept, as an API server keeps them. A program, not a test:
 * {@code AdmissionsPerSecond [CONNECTIONS [ADMISSIONS]]}; prints one line.
 */
final class AdmissionsPerSecond {

    private AdmissionsPerSecond() {}

    public static void main(String[] arguments) throws Exception {
        int connections = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 8;
        int admissions = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20_000;
        try (SharedCluster cluster = new SharedCluster();
                Injector injector = Injector.start(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        new PodSettings(new AgentImage("weft-agent:1", Optional.empty()), Optional.of(AgentDelivery.INIT_CONTAINER),
                                URI.create("grpcs://weft-control-plane.weft-system.svc:5678"), "default", PodSettings.Trust.OURS, false),
                        SharedCluster.CERTIFICATES, SharedCluster.NAMESPACE, cluster.replica().client())) {
            SSLContext trust = trusting(Pem.certificates(cluster.caBundles().get(0)).get(0));
            run(trust, injector.port(), connections, admissions / 4);
            long[] latencies = new long[admissions];
            long began = System.nanoTime();
            int done = run(trust, injector.port(), connections, latencies);
            double seconds = (System.nanoTime() - began) / 1e9;
            Arrays.sort(latencies);
            System.out.printf("%d admissions over %d connections in %.2f s: %.0f a second, p50 %.2f ms, p99 %.2f ms%n",
                    done, connections, seconds, done / seconds, latencies[done / 2] / 1e6, latencies[done * 99 / 100] / 1e6);
        }
    }

    private static void run(SSLContext trust, int port, int connections, int admissions) throws InterruptedException {
        run(trust, port, connections, new long[admissions]);
    }

    /** @param latencies to be filled in, in nanoseconds */
    private static int run(SSLContext trust, int port, int connections, long[] latencies) throws InterruptedException {
        byte[] body = Pods.review();
        byte[] head = ("POST /inject?timeout=5s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " + body.length
                + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        AtomicInteger next = new AtomicInteger();
        CountDownLatch over = new CountDownLatch(connections);
        for (int i = 0; i < connections; i++) {
            new Thread(() -> {
                try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
                        SSLSocket socket = (SSLSocket) trust.getSocketFactory().createSocket(plain, "x", port, true)) {
                    plain.setTcpNoDelay(true);
                    DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
                    OutputStream out = socket.getOutputStream();
                    for (int n = next.getAndIncrement(); n < latencies.length; n = next.getAndIncrement()) {
                        long sent = System.nanoTime();
                        out.write(request);
                        skipAnswer(in);
                        latencies[n] = System.nanoTime() - sent;
                    }
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                } finally {
                    over.countDown();
                }
            }).start();
        }
        over.await();
        return latencies.length;
    }

    private static void skipAnswer(DataInputStream in) throws IOException {
        String status = line(in);
        if (!status.startsWith("HTTP/1.1 200")) {
            throw new IOException(status);
        }
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            if (header.toLowerCase().startsWith("content-length:")) {
                length = Integer.parseInt(header.substring(15).strip());
            }
        }
        in.readFully(new byte[length]);
    }

    private static String line(DataInputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.readUnsignedByte(); c != '\n'; c = in.readUnsignedByte()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    private static SSLContext trusting(X509Certificate root) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("root", root);
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
