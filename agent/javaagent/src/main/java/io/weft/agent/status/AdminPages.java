package io.weft.agent.status;

import io.weft.admin.AdminPage;
import io.weft.admin.AdminSocket;
import io.weft.admin.SocketDirectory;
import io.weft.agent.link.Attachments;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.settings.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** What the admin socket of this JVM shows. A JVM that cannot have one, as on a read-only file system, does without. */
public final class AdminPages {
    private static final String TEXT = "text/plain; charset=utf-8";

    private final Settings settings;
    private final Mesh mesh;
    private final Attachments attachments;
    private final InstantSource time;

    public AdminPages(Settings settings, Mesh mesh, Attachments attachments, InstantSource time) {
        this.settings = settings;
        this.mesh = mesh;
        this.attachments = attachments;
        this.time = time;
    }

    /** On the agent's thread, once the mesh runs. */
    public Optional<AdminSocket> open(AgentLog log) {
        if (!settings.admin().enabled()) {
            return Optional.empty();
        }
        SocketDirectory directory = settings.admin().directory().map(chosen -> new SocketDirectory(Path.of(chosen)))
                .orElseGet(() -> SocketDirectory.of(System.getProperty("user.name")));
        try {
            return Optional.of(AdminSocket.open(directory, ProcessHandle.current().pid(), pages()));
        } catch (IOException | UnsupportedOperationException none) {
            String problem = "weft status cannot ask this process: " + none.getMessage();
            if (settings.admin().directory().isPresent()) {
                log.warn(problem + "; check weft.admin.dir");
            } else {
                log.debug(problem);
            }
            return Optional.empty();
        }
    }

    private Map<String, AdminPage> pages() {
        return Map.of(
                "/status", new AdminPage("application/json", page(StatusJson::of)),
                "/status.txt", new AdminPage(TEXT, page(status -> StatusText.whole(status, time.instant()))),
                "/status-line.txt", new AdminPage(TEXT, page(StatusText::line)));
    }

    private Supplier<String> page(Function<Status, String> writer) {
        return () -> writer.apply(status());
    }

    private Status status() {
        Running running = mesh.running().orElseThrow();
        return new Status(
                new Status.Process(ProcessHandle.current().pid(), AgentVersion.get(), System.getProperty("java.version"),
                        System.getProperty("sun.java.command", "")),
                settings.service().orElse(""),
                settings.mesh(),
                running.instance(),
                settings.controlPlane().orElseThrow().uri(),
                running.client().status(),
                running.client().snapshot(),
                List.copyOf(running.dataPlane().inbound().ports()),
                libraries(),
                running.dataPlane().stats(),
                running.dataPlane().accessStats(),
                running.dataPlane().notices());
    }

    private List<Attachments.Status> libraries() {
        return attachments.status().stream()
                .sorted(Comparator.comparing(Attachments.Status::module).thenComparing(Attachments.Status::loader)).toList();
    }
}
