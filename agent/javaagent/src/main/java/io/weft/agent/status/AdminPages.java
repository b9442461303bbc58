package io.weft.agent.status;

import io.weft.admin.AdminAnswer;
import io.weft.admin.AdminCall;
import io.weft.admin.AdminPage;
import io.weft.admin.AdminPort;
import io.weft.admin.AdminQuery;
import io.weft.admin.AdminSocket;
import io.weft.admin.SocketDirectory;
import io.weft.agent.link.Attachments;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.metrics.MeshMetrics;
import io.weft.agent.metrics.Metric;
import io.weft.agent.metrics.PrometheusText;
import io.weft.agent.settings.Settings;
import io.weft.agent.status.Status.State;
import io.weft.policy.DaemonThreads;
import io.weft.policy.PolicyClient;
import io.weft.policy.model.MetricsPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** What the admin socket of this JVM shows. A JVM that cannot have one, as on a read-only file system, does without. */
public final class AdminPages {
    private static final String CLIENT_STATUS = "/envoy.service.status.v3.ClientStatusDiscoveryService/";
    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;
    private static final String LOOPBACK = "127.0.0.1";

    private final Settings settings;
    private final Mesh mesh;
    private final Attachments attachments;
    private final InstantSource time;
    private final OpenPorts ports;
    private final MeshMetrics metrics;

    // Confined to the agent's thread.
    private final Map<MetricsPort, AdminPort> byPolicy = new HashMap<>();
    private Set<MetricsPort> wanted = Set.of();
    /** Null: not yet, or never. */
    private AdminSocket opened;
    /** What was said last of why there is none; empty: nothing was. */
    private String problem = "";
    private boolean possible = true;

    public AdminPages(Settings settings, Mesh mesh, Attachments attachments, OpenPorts ports, InstantSource time) {
        this.ports = ports;
        this.settings = settings;
        this.mesh = mesh;
        this.attachments = attachments;
        this.time = time;
        metrics = new MeshMetrics(settings, time);
    }

    /** On the agent's thread, once the mesh runs; again as long as it {@link #mayOpenLater}. */
    public Optional<AdminSocket> open(AgentLog log) {
        if (!settings.admin().enabled()) {
            return Optional.empty();
        }
        SocketDirectory directory = settings.admin().directory().map(chosen -> new SocketDirectory(Path.of(chosen)))
                .orElseGet(() -> SocketDirectory.of(System.getProperty("user.name")));
        try {
            AdminSocket socket = AdminSocket.open(directory, ProcessHandle.current().pid(), pages(log), calls());
            settings.admin().metrics().ifPresent(listen -> listen(socket, listen, log));
            settings.admin().port().ifPresent(port -> listen(socket, port, log));
            opened = socket;
            if (!problem.isEmpty() && isWanted()) {
                log.info("weft status can ask this process now");
            }
            follow(log);
            return Optional.of(socket);
        } catch (IOException | UnsupportedOperationException none) {
            possible = none instanceof IOException;
            String found = "weft status cannot ask this process: " + none.getMessage() + "; check weft.admin.dir";
            if (!found.equals(problem)) {
                problem = found;
                if (isWanted()) {
                    log.warn(found);
                } else {
                    log.debug(found);
                }
            }
            return Optional.empty();
        }
    }

    /** Elsewhere, as on a read-only file system, it is nobody's concern. */
    private boolean isWanted() {
        return settings.admin().directory().isPresent() || settings.admin().metrics().isPresent() || settings.admin().port().isPresent();
    }

    /** Whether there is none for a reason that may pass. */
    public boolean mayOpenLater() {
        return settings.admin().enabled() && possible;
    }

    /** On the agent's thread: from now on metrics are to be read there, and nowhere else that policy said. */
    public void metricsAt(Set<MetricsPort> said, AgentLog log) {
        wanted = said;
        follow(log);
    }

    private void follow(AgentLog log) {
        if (opened == null) {
            return;
        }
        Set<MetricsPort> gone = new HashSet<>(byPolicy.keySet());
        gone.removeAll(wanted);
        for (MetricsPort port : gone) {
            AdminPort closed = byPolicy.remove(port);
            ports.closed(closed);
            closed.close();
        }
        for (MetricsPort port : wanted) {
            if (!byPolicy.containsKey(port)) {
                try {
                    AdminPort open = opened.alsoOn(new InetSocketAddress(port.address().host(), port.address().port()),
                            Map.of(port.path(), prometheus()));
                    byPolicy.put(port, open);
                    ports.own(open);
                    log.info("metrics at http://" + Addresses.text(open.address()) + port.path() + ", as policy says");
                } catch (IOException none) {
                    log.warn(none.getMessage() + ", where policy (MeshMetric) wants metrics to be read");
                }
            }
        }
    }

    private void listen(AdminSocket socket, Settings.Listen listen, AgentLog log) {
        try {
            AdminPort port = socket.alsoOn(new InetSocketAddress(listen.address(), listen.port()),
                    Map.of("/stats/prometheus", prometheus(), "/ready", AdminPage.reads(this::ready)));
            ports.own(port);
            log.info("metrics at http://" + Addresses.text(port.address()) + "/stats/prometheus");
        } catch (IOException none) {
            log.warn(none.getMessage() + "; check weft.metrics.address");
        }
    }

    /** For tools that ask an Envoy, and only what changes nothing. */
    private void listen(AdminSocket socket, int number, AgentLog log) {
        try {
            AdminPort port = socket.alsoOn(new InetSocketAddress(LOOPBACK, number), Map.of(
                    "/config_dump", new AdminPage("GET", query -> envoysDump()),
                    "/clusters", AdminPage.reads(this::clusters),
                    "/certs", certificates(),
                    "/stats", stats(),
                    "/stats/prometheus", prometheus(),
                    "/ready", AdminPage.reads(this::ready)));
            ports.own(port);
            log.info("what this process has of the mesh at http://" + Addresses.text(port.address())
                    + "/config_dump, for every process that reaches this loopback");
        } catch (IOException none) {
            log.warn(none.getMessage() + "; check weft.admin.loopback");
        }
    }

    private Map<String, AdminPage> pages(AgentLog log) {
        return Map.ofEntries(
                Map.entry("/status", AdminPage.reads(AdminAnswer.JSON, () -> StatusJson.of(status()))),
                Map.entry("/status.txt", AdminPage.reads(AdminAnswer.TEXT, () -> StatusText.whole(status(), time.instant()))),
                Map.entry("/status-line.txt", AdminPage.reads(AdminAnswer.TEXT, () -> StatusText.line(status(), time.instant()))),
                Map.entry("/config_dump", new AdminPage("GET", this::configDump)),
                Map.entry("/csds", new AdminPage("GET", query -> running().client().clientStatus().thenApply(ClientStatusJson::of)
                        .thenApply(AdminAnswer::json))),
                Map.entry("/clusters", AdminPage.reads(this::clusters)),
                Map.entry("/certs", certificates()),
                Map.entry("/stats", stats()),
                Map.entry("/stats/prometheus", prometheus()),
                Map.entry("/explain", AdminPage.reads(this::explain)),
                Map.entry("/ready", AdminPage.reads(this::ready)),
                Map.entry("/drain", AdminPage.changes(query -> drain())),
                Map.entry("/logging", AdminPage.changes(query -> logging(log, query))));
    }

    private Map<String, AdminCall> calls() {
        AdminCall clientStatus = request -> running().client().clientStatus(request);
        return Map.of(CLIENT_STATUS + "FetchClientStatus", clientStatus, CLIENT_STATUS + "StreamClientStatus", clientStatus);
    }

    private AdminPage certificates() {
        return AdminPage.reads(AdminAnswer.JSON, () -> CertificatesJson.of(running().client().snapshot(), time.instant()));
    }

    private AdminPage stats() {
        return AdminPage.reads(query -> AdminAnswer.text(StatsText.of(metrics(), query.first("filter"))));
    }

    private AdminPage prometheus() {
        return AdminPage.reads(PrometheusText.CONTENT_TYPE, () -> PrometheusText.of(metrics()));
    }

    private Running running() {
        return mesh.running().orElseThrow();
    }

    private List<Metric> metrics() {
        return metrics.of(running());
    }

    private CompletionStage<AdminAnswer> configDump(AdminQuery query) {
        PolicyClient client = running().client();
        return switch (query.first("format").orElse("")) {
            // As text, since all that the admin socket says is; with it weft config-dump tells of more types than are known here.
            case "protobuf" -> client.configDump().thenApply(dump -> AdminAnswer.text(Base64.getEncoder().encodeToString(dump) + "\n"));
            case "envoy" -> envoysDump();
            default -> CompletableFuture.completedFuture(AdminAnswer.json(ConfigDump.of(client.snapshot())));
        };
    }

    private CompletionStage<AdminAnswer> envoysDump() {
        return running().client().configDumpJson().thenApplyAsync(Supplier::get, task -> start("weft-config-dump", task))
                .thenApply(AdminAnswer::json);
    }

    private AdminAnswer clusters(AdminQuery query) {
        ClustersPage page = new ClustersPage(running().dataPlane().stats(), running().client().snapshot());
        return query.first("format").map("json"::equals).orElse(false) ? AdminAnswer.json(page.json()) : AdminAnswer.text(page.text());
    }

    private AdminAnswer explain(AdminQuery query) {
        AskedRequest request = AskedRequest.of(query);
        ExplanationPage page = new ExplanationPage(request, running().dataPlane().explain(request),
                new ClusterTags(running().client().snapshot()),
                new ExplanationPage.Asked(settings.service().orElse(""), ProcessHandle.current().pid()));
        return query.first("format").map("json"::equals).orElse(false) ? AdminAnswer.json(page.json()) : AdminAnswer.text(page.text());
    }

    /** As Envoy says it. */
    private AdminAnswer ready(AdminQuery query) {
        State state = state(running());
        return new AdminAnswer(state == State.LIVE ? OK : UNAVAILABLE, AdminAnswer.TEXT, state + "\n");
    }

    private static State state(Running running) {
        if (running.dataPlane().inbound().draining()) {
            return State.DRAINING;
        }
        return running.dataPlane().generation() < 0 ? State.INITIALIZING : State.LIVE;
    }

    private AdminAnswer drain() {
        // It waits for requests, and what else the agent does meanwhile must not wait for it.
        start("weft-drain", mesh::drain);
        return AdminAnswer.text("OK\n");
    }

    private static void start(String name, Runnable task) {
        new DaemonThreads(name).newThread(task).start();
    }

    private static AdminAnswer logging(AgentLog log, AdminQuery query) {
        Optional<String> level = query.first("level");
        if (level.isPresent()) {
            log.level(level(level.get()));
        }
        return AdminAnswer.text("level: " + log.level().name().toLowerCase(Locale.ROOT) + "\n");
    }

    private static AgentLog.Level level(String text) {
        return Arrays.stream(AgentLog.Level.values())
                .filter(level -> level.name().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("level is off, error, warn, info or debug, not '" + text + "'"));
    }

    private Status status() {
        Running running = running();
        return new Status(
                new Status.Process(ProcessHandle.current().pid(), AgentVersion.get(), System.getProperty("java.version"),
                        System.getProperty("sun.java.command", "")),
                state(running),
                settings.service().orElse(""),
                settings.mesh(),
                settings.tags(),
                running.registered().get(),
                settings.controlPlane().orElseThrow(),
                running.client().status(),
                running.client().snapshot(),
                List.copyOf(running.dataPlane().inbound().ports()),
                ports.unregistered(running.dataPlane().inbound()),
                libraries(),
                running.dataPlane().stats(),
                running.dataPlane().refusals(),
                running.dataPlane().accessStats(),
                running.dataPlane().notices());
    }

    private List<Attachments.Status> libraries() {
        return attachments.status().stream()
                .sorted(Comparator.comparing(Attachments.Status::module).thenComparing(Attachments.Status::loader)).toList();
    }
}
