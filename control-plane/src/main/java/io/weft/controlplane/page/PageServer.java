package io.weft.controlplane.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsServer;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.load.Called;
import io.weft.controlplane.load.Edge;
import io.weft.controlplane.load.Load;
import io.weft.controlplane.load.LoadWindow;
import io.weft.controlplane.page.Access.Denied;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.rollout.RolloutException;
import io.weft.controlplane.rollout.RouteStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The web page, and the JSON interface that it is made of:
 *
 * <ul>
 *   <li>{@code GET /api/mesh}: {@link MeshView}
 *   <li>{@code GET /api/agents}: {@link ConnectedAgent}s
 *   <li>{@code GET /api/load?mesh=&service=}: {@link LoadView}
 *   <li>{@code GET /api/observed?mesh=&service=&version=&since=}: {@link Observed}
 *   <li>{@code GET /api/events?mesh=&service=}: both views as server-sent events {@code mesh} and {@code load}, whenever they change
 *   <li>{@code POST /api/diff}: {@link Files} in, {@link io.weft.controlplane.PolicyDiff} out; nothing changes
 *   <li>{@code POST /api/rollout}, with a token: {@link Shares}
 * </ul>
 */
public final class PageServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PageServer.class);
    private static final ObjectMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private static final int MAX_THREADS = 64;
    private static final int MAX_WAITING = 256;
    /** The rest is for requests that end. */
    private static final int MAX_EVENT_STREAMS = 48;
    /** As much as one file of a policy folder may have. */
    static final int MAX_POLICY_BYTES = 4 << 20;
    private static final int MAX_SHARES_BYTES = 64 << 10;
    private static final int BACKLOG = 64;
    /** For a request to be here as a whole. An event stream has been asked for long before. */
    private static final int REQUEST_SECONDS = 30;
    private static final long LOOK_MILLIS = 1_000;
    /** So that a client that is gone is noticed. */
    private static final long HEARTBEAT_MILLIS = 15_000;

    static {
        // The JDK's server has no limits by itself. It reads these once, when it is used first; what an operator says stays.
        set("sun.net.httpserver.maxReqTime", Integer.toString(REQUEST_SECONDS));
        set("jdk.httpserver.maxConnections", Integer.toString(MAX_THREADS + MAX_WAITING));
        // It sends head and body of a response one after the other.
        set("sun.net.httpserver.nodelay", "true");
    }

    private static final Map<String, String> FILES = Map.of(
            "/", "index.html",
            "/app.js", "app.js",
            "/map.js", "map.js",
            "/charts.js", "charts.js",
            "/format.js", "format.js",
            "/style.css", "style.css",
            "/icon.svg", "icon.svg");

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml");

    /**
     * Where and for whom.
     *
     * @param listen port 0: any free one
     * @param hosts names of the host by which the page may be reached, besides {@code localhost}
     * @param tls absent: in clear text
     * @param tokens whether a token lets its bearer write
     */
    public record Settings(InetSocketAddress listen, Set<String> hosts, Optional<SSLContext> tls, Predicate<String> tokens) {}

    /**
     * The body of {@code POST /api/rollout}.
     *
     * @param weights by version, not all 0
     */
    record Shares(String mesh, String service, Map<String, Long> weights) {}

    /** The body of {@code POST /api/diff}: all the files of a folder. */
    record Files(List<File> files) {}

    record File(String name, String text) {}

    /**
     * What one version of a service got since a time.
     *
     * @param now on the same clock as {@code since}
     * @param errors those for which nothing was sent, and those that the mesh has refused, included
     * @param refused of the errors those that a permission or a rate limit of the mesh has refused
     * @param p99Millis null: nothing is known
     */
    record Observed(long now, long requests, long errors, long refused, Double p99Millis) {}

    private final Viewer viewer;
    private final ControlPlane controlPlane;
    /** Absent: everything is read only. */
    private final Optional<RouteStore> routes;
    private final Access access;
    private final HttpServer server;
    private final ExecutorService threads;
    private final Semaphore eventStreams = new Semaphore(MAX_EVENT_STREAMS);
    private final Semaphore comparisons = new Semaphore(1);
    private final Latest latest = new Latest();
    private volatile boolean closed;

    private static void set(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /**
     * @param routes where policies can be changed; absent: nowhere, and none can be tried
     * @throws IOException the address cannot be bound
     */
    public static PageServer start(Settings settings, ControlPlane controlPlane, Optional<RouteStore> routes) throws IOException {
        return new PageServer(settings, controlPlane, routes);
    }

    private PageServer(Settings settings, ControlPlane controlPlane, Optional<RouteStore> routes) throws IOException {
        this.controlPlane = controlPlane;
        this.routes = routes;
        viewer = new Viewer(controlPlane);
        access = new Access(settings.hosts(), settings.tokens());
        if (settings.tls().isPresent()) {
            HttpsServer secured = HttpsServer.create(settings.listen(), BACKLOG);
            secured.setHttpsConfigurator(new com.sun.net.httpserver.HttpsConfigurator(settings.tls().get()));
            server = secured;
        } else {
            server = HttpServer.create(settings.listen(), BACKLOG);
        }
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                MAX_THREADS, MAX_THREADS, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), task -> {
                    Thread thread = new Thread(task, "weft-page");
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        threads = pool;
        server.setExecutor(pool);
        server.createContext("/", this::serve);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        closed = true;
        server.stop(0);
        threads.shutdownNow();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try {
            Optional<Denied> denied = access.reading(exchange);
            if (denied.isPresent()) {
                deny(exchange, denied.get());
                return;
            }
            String path = exchange.getRequestURI().getPath();
            switch (exchange.getRequestMethod()) {
                case "GET", "HEAD" -> read(exchange, path);
                case "POST" -> write(exchange, path);
                default -> deny(exchange, new Denied(405, "only GET and POST are understood"));
            }
        } catch (RuntimeException e) {
            LOG.error("{} {} failed", exchange.getRequestMethod(), exchange.getRequestURI(), e);
            deny(exchange, new Denied(500, "this request failed; the control plane's log says why"));
        } finally {
            exchange.close();
        }
    }

    private void read(HttpExchange exchange, String path) throws IOException {
        Map<String, String> query = query(exchange);
        String mesh = query.getOrDefault("mesh", "default");
        String service = query.getOrDefault("service", "");
        switch (path) {
            case "/api/mesh" -> answer(exchange, 200, viewer.mesh(routes.isPresent()));
            case "/api/agents" -> answer(exchange, 200, viewer.agents());
            case "/api/load" -> answer(exchange, 200, viewer.load(mesh, service));
            case "/api/observed" -> answer(exchange, 200, observed(mesh, service, query));
            case "/api/events" -> push(exchange, mesh, service);
            default -> file(exchange, path);
        }
    }

    private void file(HttpExchange exchange, String path) throws IOException {
        String name = FILES.get(path);
        if (name == null) {
            deny(exchange, new Denied(404, "there is nothing at " + path));
            return;
        }
        try (InputStream file = PageServer.class.getResourceAsStream(name)) {
            if (file == null) {
                throw new IllegalStateException(name + " is not in this jar");
            }
            send(exchange, 200, TYPES.get(name.substring(name.lastIndexOf('.') + 1)), "no-cache", file.readAllBytes());
        }
    }

    private Observed observed(String mesh, String service, Map<String, String> query) {
        LoadWindow window = controlPlane.load();
        long now = window.nowMillis();
        long since = number(query.get("since"), now);
        String version = query.getOrDefault("version", "");
        Load load = Load.NONE;
        for (Edge edge : window.edges(mesh)) {
            if (edge.to().equals(service) && edge.version().equals(version)) {
                load = load.plus(window.since(edge, since));
            }
        }
        double p99 = load.quantile(0.99);
        // Of what callers say was refused that which the mesh says it did; outsiders' requests, which it refuses as well, are none of theirs.
        long refused = Math.min(load.refusals(), window.since(new Called(mesh, service, version), since).refused());
        return new Observed(
                now, load.requests() + load.dropped(), load.failures() + refused, refused, Double.isNaN(p99) ? null : p99);
    }

    private static long number(String text, long otherwise) {
        try {
            return text == null ? otherwise : Long.parseLong(text);
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    /** Until the client goes; on this thread, as a slow client must not keep others waiting. */
    private void push(HttpExchange exchange, String mesh, String service) throws IOException {
        if (!eventStreams.tryAcquire()) {
            deny(exchange, new Denied(503, "too many pages are open; close some"));
            return;
        }
        try {
            headers(exchange, "text/event-stream; charset=utf-8", "no-store");
            exchange.sendResponseHeaders(200, 0);
            push(exchange.getResponseBody(), mesh, service);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            eventStreams.release();
        }
    }

    /** The same for all that ask within a moment. */
    private String mesh() throws JsonProcessingException {
        synchronized (latest) {
            long now = System.nanoTime();
            if (latest.json.isEmpty() || now - latest.madeNanos > TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS) / 2) {
                latest.json = JSON.writeValueAsString(viewer.mesh(routes.isPresent()));
                latest.madeNanos = now;
            }
            return latest.json;
        }
    }

    /** Guarded by itself. */
    private static final class Latest {
        private String json = "";
        private long madeNanos;
    }

    private void push(OutputStream stream, String mesh, String service) throws IOException, InterruptedException {
        String lastMesh = "";
        String lastLoad = "";
        long quiet = 0;
        while (!closed) {
            StringBuilder news = new StringBuilder();
            String now = mesh();
            if (!now.equals(lastMesh)) {
                lastMesh = now;
                news.append("event: mesh\ndata: ").append(now).append("\n\n");
            }
            if (!service.isEmpty()) {
                LoadView load = viewer.load(mesh, service);
                // The clock alone is no news.
                String series = JSON.writeValueAsString(load.versions()) + load.endsAt();
                if (!series.equals(lastLoad)) {
                    lastLoad = series;
                    news.append("event: load\ndata: ").append(JSON.writeValueAsString(load)).append("\n\n");
                }
            }
            quiet += LOOK_MILLIS;
            if (news.length() == 0 && quiet >= HEARTBEAT_MILLIS) {
                news.append(":\n\n");
            }
            if (news.length() > 0) {
                quiet = 0;
                stream.write(news.toString().getBytes(StandardCharsets.UTF_8));
                stream.flush();
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private void write(HttpExchange exchange, String path) throws IOException {
        if (routes.isEmpty()) {
            deny(exchange, new Denied(403, "policies of a cluster are not changed or tried here; use kubectl"));
            return;
        }
        switch (path) {
            case "/api/rollout" -> share(exchange);
            case "/api/diff" -> diff(exchange);
            default -> deny(exchange, new Denied(404, "nothing can be sent to " + path));
        }
    }

    /** One at a time, from its first byte on: a body is large, and what it says is compiled as a whole. */
    private void diff(HttpExchange exchange) throws IOException {
        Optional<Denied> denied = access.fromElsewhere(exchange);
        if (denied.isPresent()) {
            deny(exchange, denied.get());
            return;
        }
        if (!comparisons.tryAcquire()) {
            deny(exchange, new Denied(503, "somebody else's policies are being compared; try again in a moment"));
            return;
        }
        Object answer;
        try {
            answer = compared(exchange);
        } finally {
            // Before it is answered: whoever has the answer may ask again.
            comparisons.release();
        }
        if (answer instanceof Denied reason) {
            deny(exchange, reason);
        } else {
            answer(exchange, 200, answer);
        }
    }

    /** A {@link io.weft.controlplane.PolicyDiff}, or why there is none. */
    private Object compared(HttpExchange exchange) throws IOException {
        Optional<byte[]> body = body(exchange, MAX_POLICY_BYTES);
        if (body.isEmpty()) {
            return new Denied(413, "the policies are longer than " + (MAX_POLICY_BYTES >> 20) + " MiB");
        }
        List<SourceText> texts;
        try {
            texts = texts(body.get());
        } catch (JsonProcessingException | NullPointerException e) {
            return new Denied(400, "the body is not {\"files\": [{\"name\": …, \"text\": …}]}");
        }
        return controlPlane.diff(texts);
    }

    private static List<SourceText> texts(byte[] body) throws IOException {
        List<SourceText> texts = new ArrayList<>();
        for (File file : JSON.readValue(body, Files.class).files()) {
            texts.add(new SourceText(Objects.requireNonNull(file.name()), Optional.of(file.text()), Optional.empty()));
        }
        return texts;
    }

    private void share(HttpExchange exchange) throws IOException {
        Optional<Denied> denied = access.writing(exchange);
        if (denied.isPresent()) {
            deny(exchange, denied.get());
            return;
        }
        Shares shares;
        try {
            shares = JSON.readValue(body(exchange, MAX_SHARES_BYTES).orElseGet(() -> new byte[0]), Shares.class);
        } catch (JsonProcessingException e) {
            deny(exchange, new Denied(400, "the body is not {\"mesh\": …, \"service\": …, \"weights\": {version: number}}"));
            return;
        }
        if (shares.mesh() == null || shares.service() == null || !areWeights(shares.weights())) {
            deny(exchange, new Denied(400, "weights need a number from 0 to 1000000 for each version, and one above 0"));
            return;
        }
        try {
            routes.get().share(shares.mesh(), shares.service(), shares.weights());
            LOG.info("page: the requests for {} in mesh {} are shared {}", shares.service(), shares.mesh(), shares.weights());
            answer(exchange, 200, shares);
        } catch (RolloutException e) {
            deny(exchange, new Denied(409, e.getMessage()));
        } catch (IOException e) {
            deny(exchange, new Denied(500, "the policy cannot be written: " + e.getMessage()));
        }
    }

    private static boolean areWeights(Map<String, Long> weights) {
        return weights != null && !weights.isEmpty()
                && weights.values().stream().allMatch(weight -> weight != null && weight >= 0 && weight <= 1_000_000)
                && weights.values().stream().anyMatch(weight -> weight > 0);
    }

    /** Empty: it is longer. */
    private static Optional<byte[]> body(HttpExchange exchange, int maximum) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(maximum + 1);
        return body.length > maximum ? Optional.empty() : Optional.of(body);
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> query = new HashMap<>();
        String raw = exchange.getRequestURI().getRawQuery();
        for (String part : raw == null ? new String[0] : raw.split("&")) {
            int equals = part.indexOf('=');
            if (equals > 0) {
                query.put(part.substring(0, equals), URLDecoder.decode(part.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return query;
    }

    private static void deny(HttpExchange exchange, Denied denied) throws IOException {
        if (exchange.getResponseCode() == -1) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("error", denied.reason());
            answer(exchange, denied.status(), body);
        }
    }

    private static void answer(HttpExchange exchange, int status, Object body) throws IOException {
        send(exchange, status, "application/json", "no-store", JSON.writeValueAsBytes(body));
    }

    private static void send(HttpExchange exchange, int status, String type, String caching, byte[] body) throws IOException {
        headers(exchange, type, caching);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, head ? -1 : body.length == 0 ? -1 : body.length);
        if (!head) {
            // What is left of the request is read, too, as far as that is short: else the client may not see the answer.
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
    }

    private static void headers(HttpExchange exchange, String type, String caching) {
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", type);
        headers.set("Cache-Control", caching);
        headers.set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
                + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
    }
}
