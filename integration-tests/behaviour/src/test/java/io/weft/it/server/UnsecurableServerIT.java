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
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Servers that Weft knows and cannot secure, in a mesh that is strict, or becomes so. */
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

    private enum Kind {
        JETTY("jetty"), UNDERTOW("undertow");

        final String library;

        Kind(String library) {
            this.library = library;
        }
    }

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private ControlPlane controlPlane;
    private Path token;

    private JvmCommand member(Jdk jdk, Kind kind) {
        return testbed.jvm(kind.toString(), jdk).mesh(controlPlane.uri(), "orders")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token.toString())
                .environment("WEFT_DRAIN_TIMEOUT", "1s")
                .option("-XX:TieredStopAtLevel=1")
                .classPath(Library.named(kind.library));
    }

    private static JvmProcess start(JvmCommand jvm, Kind kind) {
        return jvm.driver("io.weft.driver." + (kind == Kind.JETTY ? "JettyServer" : "UndertowServer"), "v1");
    }

    @EveryJdk
    void whereItWouldHaveToBeSecuredItDoesNotServe(Jdk jdk) {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        token = controlPlane.token("orders");
        Map<Kind, JvmProcess> early = new EnumMap<>(Kind.class);
        for (Kind kind : Kind.values()) {
            early.put(kind, start(member(jdk, kind), kind));
        }
        Map<Kind, Integer> ports = new EnumMap<>(Kind.class);
        Map<Kind, RawClient> kept = new EnumMap<>(Kind.class);
        early.forEach((kind, process) -> {
            ports.put(kind, process.awaitPort());
            RawClient client = testbed.closeAfterwards(new RawClient(ports.get(kind)));
            client.send(KEEP);
            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
            assertThat(client.readWithin(30_000)).isEqualTo('v');
            assertThat(client.readWithin(30_000)).isEqualTo('1');
            kept.put(kind, client);
        });

        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        for (Kind kind : Kind.values()) {
            await().until(() -> !answers(ports.get(kind)));
            assertThat(kept.get(kind).readAll()).as("%s: a connection from before, closed in the end", kind).isEmpty();
            early.get(kind).awaitStderr(line -> line.contains("port " + ports.get(kind)) && line.contains("which this port cannot be given"));
        }

        Map<Kind, JvmProcess> late = new EnumMap<>(Kind.class);
        Map<Kind, JvmProcess> allowed = new EnumMap<>(Kind.class);
        for (Kind kind : Kind.values()) {
            late.put(kind, start(member(jdk, kind), kind));
            allowed.put(kind, start(
                    member(jdk, kind).environment("WEFT_INSTRUMENTATION_" + kind + "_ENABLED", "false"), kind));
        }
        late.forEach((kind, process) -> {
            assertThat(process.awaitExit(PATIENCE)).as("%s started late", kind).isNotZero();
            assertThat(String.join("\n", process.stderr())).contains(
                    kind.library + " must not serve on port", "weft.instrumentation." + kind.library + ".enabled=false");
        });
        allowed.forEach((kind, process) ->
                assertThat(answers(process.awaitPort())).as("%s, allowed by name", kind).isTrue());
    }

    private static boolean answers(int port) {
        try {
            return new String(RawClient.ask(port, CLOSE), StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200");
        } catch (UncheckedIOException refused) {
            return false;
        }
    }
}
