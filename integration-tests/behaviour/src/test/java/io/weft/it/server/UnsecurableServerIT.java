package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Testbed;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A version of a server that Weft knows and cannot secure, in a mesh that is strict, or becomes so. */
class UnsecurableServerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String IDENTITY = """
            type: MeshIdentity
            name: everyone
            mesh: default
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;
    private static final String MODE = "type: MeshTLS\nname: mode\nmesh: default\nspec: {rules: [{default: {mode: %s}}]}\n";
    private static final String KEEP = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String CLOSE = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private ControlPlane controlPlane;
    private Path token;

    private JvmCommand member(Jdk jdk) {
        return testbed.jvm("undertow", jdk).mesh(controlPlane.uri(), "orders")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token.toString())
                .environment("WEFT_DRAIN_TIMEOUT", "1s")
                .option("-XX:TieredStopAtLevel=1")
                .classPath(Library.named("undertow-1.4"));
    }

    private static JvmProcess start(JvmCommand jvm) {
        return jvm.driver("io.weft.driver.UndertowServer", "v1");
    }

    @EveryJdk
    void whereItWouldHaveToBeSecuredItDoesNotServe(Jdk jdk) {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        token = controlPlane.token("orders");
        JvmProcess early = start(member(jdk));
        int port = early.awaitPort();
        RawClient kept = testbed.closeAfterwards(new RawClient(port));
        kept.send(KEEP);
        assertThat(kept.readHead()).startsWith("HTTP/1.1 200");
        assertThat(kept.readWithin(30_000)).isEqualTo('v');
        assertThat(kept.readWithin(30_000)).isEqualTo('1');

        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        await().until(() -> !answers(port));
        assertThat(kept.readAll()).as("a connection from before, closed in the end").isEmpty();
        early.awaitStderr(line -> line.contains("port " + port) && line.contains("which this port cannot be given"));

        JvmProcess late = start(member(jdk));
        JvmProcess allowed = start(member(jdk).environment("WEFT_INSTRUMENTATION_UNDERTOW_ENABLED", "false"));
        assertThat(late.awaitExit(PATIENCE)).isNotZero();
        assertThat(String.join("\n", late.stderr())).contains(
                "undertow must not serve on port", "weft.instrumentation.undertow.enabled=false");
        assertThat(answers(allowed.awaitPort())).as("allowed by name").isTrue();
    }

    private static boolean answers(int port) {
        try {
            return new String(RawClient.ask(port, CLOSE), StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200");
        } catch (UncheckedIOException refused) {
            return false;
        }
    }
}
