package io.weft.agent.otlp;

import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.mesh.Background;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * An OpenTelemetry collector, by OTLP over HTTP/1.1, with a connection for each request. Nothing here is the app's: the JDK's clients
 * have its proxies, cookies and passwords, a plain {@link Socket} its proxies and its socket factory, and the default TLS context its
 * certificates. The collector's certificate must be one that this JVM trusts.
 *
 * @param patience for a request as a whole, from the connection to the answer's first line
 */
public record Collector(URI endpoint, Background background, Duration patience) implements Receiver {
    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] (\\d\\d\\d).*");
    private static final int MOST_OF_STATUS_LINE = 200;
    private static final Duration USUAL_PATIENCE = Duration.ofSeconds(10);

    public Collector(URI endpoint, Background background) {
        this(endpoint, background, USUAL_PATIENCE);
    }

    @Override
    public Optional<Refusal> send(Signal signal, String json) throws IOException {
        String line = post(signal.path(), json.getBytes(StandardCharsets.UTF_8));
        Matcher parts = STATUS_LINE.matcher(line);
        String status = parts.matches() ? parts.group(1) : "none";
        return status.startsWith("2") ? Optional.empty() : Optional.of(new Refusal(status, line));
    }

    @Override
    public String toString() {
        return endpoint.toString();
    }

    /**
     * @param path below the endpoint's own, as in {@code /v1/metrics}
     * @return the status line
     * @throws IOException also when there is none in time; says so
     */
    String post(String path, byte[] body) throws IOException {
        InetSocketAddress address = new InetSocketAddress(endpoint.getHost(), port());
        try (SocketChannel channel = SocketChannel.open()) {
            // Somebody has to: a collector that reads nothing blocks a write for good, whatever limit a socket has for its reads.
            AtomicBoolean late = new AtomicBoolean();
            Future<?> deadline = background.runAfter(patience.toMillis(), "end a request to the collector", () -> {
                late.set(true);
                close(channel);
            });
            try {
                Socket socket = channel.socket();
                socket.connect(address, Math.toIntExact(patience.toMillis()));
                return "https".equals(endpoint.getScheme()) ? postOverTls(socket, path, body) : post(socket, path, body);
            } catch (IOException failed) {
                throw late.get() ? new IOException("no answer within " + patience.toMillis() + " ms", failed) : failed;
            } finally {
                deadline.cancel(false);
            }
        }
    }

    /** Of a URL that says none: the collector's own, or with TLS that of HTTPS, since somebody stands before it. */
    int port() {
        return endpoint.getPort() >= 0 ? endpoint.getPort() : endpoint.getScheme().equals("https") ? 443 : 4318;
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
    }

    private String postOverTls(Socket connected, String path, byte[] body) throws IOException {
        String host = endpoint.getHost();
        try (SSLSocket secured = (SSLSocket) context().getSocketFactory().createSocket(connected, host, connected.getPort(), true)) {
            SSLParameters parameters = secured.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secured.setSSLParameters(parameters);
            return post(secured, path, body);
        }
    }

    /** Made anew each time: whom the JVM trusts may be in a file that is replaced. */
    private static SSLContext context() throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[0], null, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("this JDK cannot make a TLS context: " + e, e);
        }
    }

    private String post(Socket socket, String path, byte[] body) throws IOException {
        String head = "POST " + prefix() + path + " HTTP/1.1\r\nhost: " + endpoint.getRawAuthority()
                + "\r\ncontent-type: application/json\r\nuser-agent: weft/" + AgentVersion.get()
                + "\r\ncontent-length: " + body.length + "\r\nconnection: close\r\n\r\n";
        OutputStream out = socket.getOutputStream();
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(body);
        out.flush();
        return statusLine(socket.getInputStream());
    }

    private String prefix() {
        String path = endpoint.getRawPath() == null ? "" : endpoint.getRawPath();
        return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }

    /** As far as a log should have it. */
    private static String statusLine(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        int read = in.read();
        while (read >= 0 && read != '\r' && read != '\n' && line.length() < MOST_OF_STATUS_LINE) {
            line.append(read < ' ' || read > '~' ? '?' : (char) read);
            read = in.read();
        }
        if (line.length() == 0) {
            throw new IOException("the connection was closed without an answer");
        }
        return line.toString();
    }
}
