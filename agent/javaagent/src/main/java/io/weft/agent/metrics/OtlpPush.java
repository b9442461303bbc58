package io.weft.agent.metrics;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.settings.Settings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * Sends all metrics to an OpenTelemetry collector, again and again, on a daemon thread of its own. By a plain socket, since the JDK's
 * clients have the app's proxies, cookies and passwords. A collector that is not there is said once, and asked again next time.
 */
public final class OtlpPush {
    private static final int PATIENCE_MILLIS = 10_000;

    private final Settings.Otlp settings;
    private final Supplier<List<Metric>> metrics;
    private final Map<String, String> resource;
    private final InstantSource time;
    private final Instant start;
    private final AgentLog log;

    OtlpPush(Settings.Otlp settings, Map<String, String> resource, Supplier<List<Metric>> metrics, InstantSource time, AgentLog log) {
        this.settings = settings;
        this.metrics = metrics;
        this.resource = resource;
        this.time = time;
        this.log = log;
        start = time.instant();
    }

    /** Begins where a collector is set. To be run once, when the mesh runs; a class that costs a JVM without one nothing. */
    public record Begin(Settings settings, Mesh mesh, AgentLog log) implements Runnable {
        @Override
        public void run() {
            if (settings.otlp().isPresent()) {
                begin(settings, mesh.running().orElseThrow(), log);
            }
        }
    }

    private static void begin(Settings settings, Running running, AgentLog log) {
        Map<String, String> resource = new LinkedHashMap<>();
        resource.put("service.name", settings.service().orElse("unknown_service:java"));
        resource.put("service.namespace", settings.mesh());
        resource.put("service.instance.id", running.instance());
        resource.put("telemetry.distro.name", "weft");
        resource.put("telemetry.distro.version", AgentVersion.get());
        MeshMetrics all = new MeshMetrics(settings, InstantSource.system());
        OtlpPush push = new OtlpPush(settings.otlp().get(), resource, () -> all.withConventions(running), InstantSource.system(), log);
        Thread thread = new Thread(null, push::run, "weft-otlp", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(OtlpPush.class.getClassLoader());
        thread.start();
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(settings.interval().toMillis());
                push();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /** Once, now. */
    void push() {
        try {
            String status = post(OtlpJson.of(resource, metrics.get(), start, time.instant()).getBytes(StandardCharsets.UTF_8));
            if (!status.matches("HTTP/1\\.[01] 2\\d\\d.*")) {
                log.warnOnce("otlp " + status, "metrics are not taken by " + settings.endpoint() + ": " + status + "; check weft.otlp.endpoint");
            }
        } catch (IOException | RuntimeException failed) {
            log.warnOnce("otlp", "metrics cannot be sent to " + settings.endpoint() + ": " + failed + "; it is tried again all "
                    + settings.interval().toSeconds() + " s");
        }
    }

    private String post(byte[] body) throws IOException {
        URI uri = settings.endpoint();
        try (Socket socket = connect(uri)) {
            String path = uri.getRawPath() == null || uri.getRawPath().equals("/") ? "" : uri.getRawPath();
            String head = "POST " + path + "/v1/metrics HTTP/1.1\r\nhost: " + uri.getRawAuthority()
                    + "\r\ncontent-type: application/json\r\nuser-agent: weft/" + AgentVersion.get()
                    + "\r\ncontent-length: " + body.length + "\r\nconnection: close\r\n\r\n";
            OutputStream out = socket.getOutputStream();
            out.write(head.getBytes(StandardCharsets.US_ASCII));
            out.write(body);
            out.flush();
            String status = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1)).readLine();
            return status == null ? "the connection was closed without an answer" : status;
        }
    }

    private static Socket connect(URI uri) throws IOException {
        boolean tls = uri.getScheme().equals("https");
        int port = uri.getPort() < 0 ? 4318 : uri.getPort();
        Socket socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(uri.getHost(), port), PATIENCE_MILLIS);
            socket.setSoTimeout(PATIENCE_MILLIS);
            if (!tls) {
                return socket;
            }
            SSLSocket secured = (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(socket, uri.getHost(), port, true);
            SSLParameters parameters = secured.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secured.setSSLParameters(parameters);
            return secured;
        } catch (IOException | RuntimeException failed) {
            socket.close();
            throw failed;
        }
    }
}
