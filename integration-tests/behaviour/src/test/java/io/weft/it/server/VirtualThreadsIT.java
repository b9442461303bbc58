package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.driver.PinnedThread;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Build;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Whatever the agent has a virtual thread wait for, its carrier goes on with another one meanwhile. JFR tells of each that does not let go of its carrier; up to
 * JDK 23 that is so within {@code synchronized}, too, from 24 on only with a native frame on the stack or while a class is initialized. So the newest JDK shows
 * less than 21 does, which is looked for first.
 */
class VirtualThreadsIT {
    private static final int FIRST = 21;
    private static final String PINNED = "jdk.VirtualThreadPinned";
    private static final String STARTED = "jdk.VirtualThreadStart";
    private static final String SETTINGS = """
            <?xml version="1.0" encoding="UTF-8"?>
            <configuration version="2.0">
              <event name="%s">
                <setting name="enabled">true</setting>
                <setting name="threshold">0 ms</setting>
                <setting name="stackTrace">true</setting>
              </event>
              <event name="%s"><setting name="enabled">true</setting></event>
            </configuration>
            """.formatted(PINNED, STARTED);
    private static final String CLOSE = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final Pattern TOMCATS_PORT = Pattern.compile("Tomcat started on port (\\d+)");
    private static final Duration SHORTLY = Duration.ofMillis(200);
    private static final int CALLERS = 16;
    private static final int CALLS = 5;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Jdk jdk = Jdks.feature(FIRST).orElseGet(Jdks::newest);
    private Path recording;
    private Path settings;

    @BeforeEach
    void hasVirtualThreads() throws IOException {
        assumeTrue(jdk.feature() >= FIRST, "no JDK here has virtual threads");
        Path folder = testbed.temporaryFolder();
        recording = folder.resolve("recording.jfr");
        settings = Files.writeString(folder.resolve("settings.jfc"), SETTINGS);
    }

    private JvmCommand recorded(String name) {
        return testbed.jvm(name, jdk).option(
                "-XX:StartFlightRecording:settings=" + settings + ",dumponexit=true,filename=" + recording).option("-Xlog:jfr*=off");
    }

    private List<RecordedEvent> events(String type) throws IOException {
        return RecordingFile.readAllEvents(recording).stream().filter(event -> event.getEventType().getName().equals(type)).toList();
    }

    /**
     * @param warm since when no class is loaded or initialized for the first time, for which several threads wait on their carriers, if shortly, on every JDK
     */
    private void assertNonePinnedByTheAgent(Instant warm) throws IOException {
        assertThat(events(STARTED)).as("virtual threads").hasSizeGreaterThan(CALLERS);
        assertThat(events(PINNED)).filteredOn(VirtualThreadsIT::isOfTheAgent)
                .filteredOn(event -> event.getStartTime().isAfter(warm) || event.getDuration().compareTo(SHORTLY) > 0)
                .as("pinned on " + jdk).isEmpty();
    }

    private static boolean isOfTheAgent(RecordedEvent event) {
        return event.getStackTrace() == null || event.getStackTrace().getFrames().stream().anyMatch(VirtualThreadsIT::isOfTheAgent);
    }

    private static boolean isOfTheAgent(RecordedFrame frame) {
        return frame.getMethod().getType().getName().startsWith("io.weft.") && !frame.getMethod().getType().getName().startsWith("io.weft.driver.");
    }

    private static void together(Callable<?> call) throws Exception {
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        try {
            for (Future<?> each : callers.invokeAll(IntStream.range(0, CALLERS).mapToObj(i -> call).toList())) {
                each.get();
            }
        } finally {
            callers.shutdownNow();
        }
    }

    @Test
    void aRecordingTellsOfOneThatIsPinned() throws Exception {
        assertThat(recorded("pinned").driver(PinnedThread.class).awaitExit()).isZero();
        assertThat(events(PINNED)).as("pinned on " + jdk).isNotEmpty();
    }

    /** Who comes first waits for a policy, who comes then shakes hands, and what they ask for takes a while. */
    @Test
    void helidonsConnectionsOverMeshTlsAreNot() throws Exception {
        Authority mesh = new Authority("mesh");
        SSLContext shop = mesh.certify("spiffe://mesh/shop").trusting(mesh);
        PolicyServer policies = testbed.policyServer();
        JvmProcess server = Server.HELIDON_4_5.start(recorded("helidon").mesh(policies.uri(), "orders"), "v1");
        int port = server.awaitPort();
        ExecutorService early = Executors.newSingleThreadExecutor();
        Future<?> first = early.submit(() -> {
            together(() -> calls(shop, port));
            return null;
        });
        early.shutdown();
        await().until(() -> !policies.nodes().isEmpty());
        policies.serve(Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1))
                .listener(Inbounds.of(port, mesh, mesh.certify("spiffe://mesh/orders")).strict()));
        first.get();
        Instant warm = Instant.now();
        together(() -> calls(shop, port));

        server.handle().destroy();
        server.awaitExit();
        assertNonePinnedByTheAgent(warm);
    }

    private static Void calls(SSLContext shop, int port) throws IOException {
        for (int i = 0; i < CALLS; i++) {
            assertThat(new String(TlsClient.ask(shop, port, "GET /slow/20" + CLOSE), StandardCharsets.ISO_8859_1)).startsWith("HTTP/1.1 200");
        }
        return null;
    }

    /** Tomcat's threads, and those on which the app calls others by the JDK's client. */
    @Test
    void springBootsAreNot() throws Exception {
        Upstream orders = testbed.upstream("orders");
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", Routes.to("orders")));
        JvmProcess storefront = recorded("storefront")
                .option("-Dspring.threads.virtual.enabled=true").option("-Dserver.port=0")
                .mesh(policies.uri(), "storefront").unguarded()
                .jar(Build.app("storefront"));
        Matcher started = TOMCATS_PORT.matcher(storefront.awaitStdout(line -> TOMCATS_PORT.matcher(line).find()));
        assertThat(started.find()).isTrue();
        int port = Integer.parseInt(started.group(1));

        Callable<?> calls = () -> {
            for (int i = 0; i < CALLS; i++) {
                RawClient.ask(port, "GET /" + CLOSE);
            }
            return null;
        };
        together(calls);
        Instant warm = Instant.now();
        together(calls);
        assertThat(orders.requests()).hasSize(2 * CALLERS * CALLS);

        storefront.handle().destroy();
        storefront.awaitExit();
        assertNonePinnedByTheAgent(warm);
    }
}
