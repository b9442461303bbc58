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
 * @param url of what it takes
 * @param patience for a request as a whole, from the connection to the answer's first line
 */
public record Collector(URI url, Background background, Duration patience) implements Receiver {
    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] (\\d\\d\\d).*");
    private static final Pattern AUTHORITY = Pattern.compile("(?:.*@)?([^:@]+)(?::(\\d{1,5}))?");
    private static final int MOST_OF_STATUS_LINE = 200;
    private static final Duration USUAL_PATIENCE = Duration.ofSeconds(10);

    public Collector(URI url, Background background) {
        this(url, background, USUAL_PATIENCE);
    }

    @Override
    public Optional<Refusal> send(Signal signal, String json) throws IOException {
        String line = post(json.getBytes(StandardCharsets.UTF_8));
        Matcher parts = STATUS_LINE.matcher(line);
        String status = parts.matches() ? parts.group(1) : "none";
        return status.startsWith("2") ? Optional.empty() : Optional.of(new Refusal(status, line));
    }

    @Override
    public String toString() {
        return url.toString();
    }

    /**
     * @return the status line
     * @throws IOException also when there is none in time; says so
     */
    String post(byte[] body) throws IOException {
        InetSocketAddress address = new InetSocketAddress(host(), port());
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
                return "https".equals(url.getScheme()) ? postOverTls(socket, body) : post(socket, body);
            } catch (IOException failed) {
                throw late.get() ? new IOException("no answer within " + patience.toMillis() + " ms", failed) : failed;
            } finally {
                deadline.cancel(false);
            }
        }
    }

    /** Of a URL that says none: the collector's own, or with TLS that of HTTPS, since somebody stands before it. */
    int port() {
        String said = url.getHost() != null ? Integer.toString(url.getPort()) : authority().group(2);
        return said != null && !said.equals("-1") ? Integer.parseInt(said) : url.getScheme().equals("https") ? 443 : 4318;
    }

    String host() {
        return url.getHost() != null ? url.getHost() : authority().group(1);
    }

    /** Of a host that URIs do not know as such: with an underscore, as containers have. */
    private Matcher authority() {
        Matcher parts = AUTHORITY.matcher(url.getRawAuthority());
        if (!parts.matches()) {
            throw new IllegalArgumentException(url + " names no host");
        }
        return parts;
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException fault) {
            throw new UncheckedIOException(fault);
        }
    }

    private String postOverTls(Socket connected, byte[] body) throws IOException {
        try (SSLSocket secured = (SSLSocket) context().getSocketFactory().createSocket(connected, host(), connected.getPort(), true)) {
            SSLParameters parameters = secured.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secured.setSSLParameters(parameters);
            return post(secured, body);
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

    private String post(Socket socket, byte[] body) throws IOException {
        String head = "POST " + path() + " HTTP/1.1\r\nhost: " + url.getRawAuthority()
                + "\r\ncontent-type: application/json\r\nuser-agent: weft/" + AgentVersion.get()
                + "\r\ncontent-length: " + body.length + "\r\nconnection: close\r\n\r\n";
        OutputStream out = socket.getOutputStream();
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(body);
        out.flush();
        return statusLine(socket.getInputStream());
    }

    private String path() {
        String path = url.getRawPath();
        return path == null || path.isEmpty() ? "/" : path;
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
