package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.ClientDriver;
import io.weft.driver.HelidonClient;
import io.weft.driver.HttpUrlConnection;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JettyClient;
import io.weft.driver.OkHttp;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Virtual threads that call through a library which waits, in a mesh with mutual TLS: nothing of the agent's holds their carriers. On JDK 21, where whoever
 * waits within {@code synchronized} does.
 */
class VirtualThreadClientsIT {
    private static final int SYNCHRONIZED_PINS = 21;
    private static final String PINNED = "jdk.VirtualThreadPinned";
    private static final String SETTINGS = """
            <?xml version="1.0" encoding="UTF-8"?>
            <configuration version="2.0">
              <event name="%s"><setting name="enabled">true</setting><setting name="stackTrace">true</setting><setting name="threshold">0 ms</setting></event>
            </configuration>
            """.formatted(PINNED);
    private static final int REQUESTS = 1_000;
    private static final int THREADS = 40;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path folder = testbed.temporaryFolder();
    private ControlPlane controlPlane;

    record BlockingClient(String name, Class<?> driver, Optional<Library> library) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Not Apache HttpClient 4: whoever waits for a connection of its pool pins, and with as many as there are carriers it stands still without the agent, too. */
    static Stream<BlockingClient> clients() {
        return Stream.of(
                new BlockingClient("java.net.http", JavaNetHttp.class, Optional.empty()),
                new BlockingClient("HttpURLConnection", HttpUrlConnection.class, Optional.empty()),
                new BlockingClient("Apache HttpClient 5", ApacheHttpClient5.class, Optional.of(Library.named("httpclient5-5.6"))),
                new BlockingClient("OkHttp 5", OkHttp.class, Optional.of(Library.named("okhttp-5"))),
                new BlockingClient("Jetty 12", JettyClient.class, Optional.of(Library.named("jetty-client-12"))),
                new BlockingClient("Helidon 4.5", HelidonClient.class, Optional.of(Library.named("helidon-4.5"))));
    }

    @BeforeEach
    void mesh() {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("mesh.yaml", """
                type: MeshIdentity
                name: everyone
                mesh: default
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
                ---
                type: MeshTLS
                name: mode
                mesh: default
                spec: {rules: [{default: {mode: Strict}}]}
                ---
                type: MeshTrafficPermission
                name: everybody
                mesh: default
                spec:
                  rules:
                  - default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://default.default.mesh.local/"}}]}
                """);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void aCallDoesNotHoldItsCarrier(BlockingClient library) throws Exception {
        Optional<Jdk> found = Jdks.feature(SYNCHRONIZED_PINS);
        assumeTrue(found.isPresent(), "there is no JDK 21; set JAVA_HOME_21");
        Jdk jdk = found.get();
        orders(jdk);
        Path recording = folder.resolve("client.jfr");
        JvmCommand jvm = recorded(member(jdk, "shop"), recording);
        JvmProcess client = library.library().map(jvm::classPath).orElse(jvm).driver(library.driver());
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertThat(client.load("http://orders/", Map.of(), 4, 1).status(200)).isEqualTo(4));

        // Where a class is loaded or initialized for the first time, who waits for that holds its carrier on every JDK.
        client.loadByVirtualThreads("http://orders/slow/2", REQUESTS / 2, THREADS);
        Instant warm = Instant.now();

        Tally tally = client.loadByVirtualThreads("http://orders/slow/2", REQUESTS, THREADS);

        assertThat(tally.counts()).containsOnly(Map.entry("status.200", REQUESTS), Map.entry("body.v1", REQUESTS));
        client.stop();
        List<String> pinned = RecordingFile.readAllEvents(recording).stream()
                .filter(event -> event.getStartTime().isAfter(warm))
                .map(VirtualThreadClientsIT::stack)
                .toList();
        assertThat(pinned).as("what pins on purpose was seen").anyMatch(stack -> stack.contains(ClientDriver.class.getName() + ".pin"));
        assertThat(pinned).as("of %s", library).noneMatch(VirtualThreadClientsIT::isOurs);
    }

    private void orders(Jdk jdk) {
        member(jdk, "orders").driver("io.weft.driver.JdkHttpServer", "v1").awaitPort();
    }

    private JvmCommand member(Jdk jdk, String service) {
        return testbed.jvm(service, jdk).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString());
    }

    private JvmCommand recorded(JvmCommand jvm, Path recording) throws IOException {
        Path settings = Files.writeString(folder.resolve("pinned.jfc"), SETTINGS);
        return jvm
                // It would say on standard output that it records.
                .option("-Xlog:jfr+startup=error")
                .option("-XX:FlightRecorderOptions:stackdepth=256")
                .option("-XX:StartFlightRecording:settings=" + settings + ",filename=" + recording + ",dumponexit=true");
    }

    private static String stack(RecordedEvent event) {
        RecordedStackTrace stack = event.getStackTrace();
        StringBuilder lines = new StringBuilder();
        if (stack != null) {
            for (RecordedFrame frame : stack.getFrames()) {
                lines.append(frame.getMethod().getType().getName()).append('.').append(frame.getMethod().getName()).append('\n');
            }
        }
        return lines.toString();
    }

    private static boolean isOurs(String stack) {
        return stack.lines().anyMatch(frame -> frame.startsWith("io.weft.") && !frame.startsWith("io.weft.driver."));
    }
}
