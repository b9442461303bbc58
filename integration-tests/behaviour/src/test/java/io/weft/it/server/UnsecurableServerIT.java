package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A version of a server that Weft knows and cannot secure, in a mesh that is strict, or becomes so. */
class UnsecurableServerIT {
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

    /** @param module of the agent's */
    private record Unsecurable(String module, String library, String driver) {}

    private static final Unsecurable UNDERTOW = new Unsecurable("undertow", "undertow-1.4", "io.weft.driver.UndertowServer");
    private static final Unsecurable TOMCAT_9 = new Unsecurable("tomcat", "tomcat-9.0.26", "io.weft.driver.tomcat.javax.TomcatServer");
    /** Of which no connection is seen when it is accepted. */
    private static final Unsecurable TOMCAT_7 = new Unsecurable("tomcat", "tomcat-7", "io.weft.driver.tomcat.javax.PlainTomcatServer");
    private static final Unsecurable TOMCAT_8_0 = new Unsecurable("tomcat", "tomcat-8.0", "io.weft.driver.tomcat.javax.PlainTomcatServer");

    private static final Unsecurable TOMCAT_10_1 = new Unsecurable("tomcat", "tomcat-10.1", "io.weft.driver.tomcat.jakarta.TomcatServer");
    private static final Unsecurable UNDERTOW_2_4 = new Unsecurable("undertow", "undertow-2.4", "io.weft.driver.UndertowServer");

    private JvmCommand member(Unsecurable server, Jdk jdk) {
        return server(server, jdk).mesh(controlPlane.uri(), "orders")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token.toString())
                .environment("WEFT_DRAIN_TIMEOUT", "1s");
    }

    private JvmCommand server(Unsecurable server, Jdk jdk) {
        return testbed.jvm(server.module, jdk).option("-XX:TieredStopAtLevel=1").classPath(Library.named(server.library));
    }

    @EveryJdk
    void undertow(Jdk jdk) {
        whereItWouldHaveToBeSecuredItDoesNotServe(UNDERTOW, jdk);
    }

    @EveryJdk
    void tomcat(Jdk jdk) {
        whereItWouldHaveToBeSecuredItDoesNotServe(jdk.equals(Jdks.newest()) ? TOMCAT_9 : TOMCAT_8_0, jdk);
    }

    /** Each request is asked about, over whatever connection. */
    @EveryJdk
    void whatServedBeforeTheAgentCameLetsNobodyInAnyMoreOnceItWouldHaveToBeSecured(Jdk jdk) {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        token = controlPlane.token("orders");
        for (Unsecurable server : jdk.equals(Jdks.newest()) ? List.of(TOMCAT_9, UNDERTOW) : List.of(TOMCAT_7, TOMCAT_8_0)) {
            JvmProcess running = server(server, jdk).option("-XX:+EnableDynamicAgentLoading").driver(server.driver, "v1");
            int port = running.awaitPort();
            RawClient kept = kept(port);

            JvmProcess attach = testbed.jvm("attach", jdk).jar(Build.agent(), "attach", Long.toString(running.pid()),
                    "control-plane=" + controlPlane.uri(), "control-plane.token-file=" + token, "service=orders");
            assertThat(attach.awaitExit()).as(attach::report).isZero();

            await(server.library).until(() -> !answers(port));
            kept.send(KEEP);
            assertThat(kept.readAll()).as("over a connection from before " + server.library).isEmpty();
            running.awaitStderr(line -> line.contains("port " + port) && line.contains("which this port cannot be given"));
        }
    }

    /** Servers that can be secured, which a web server calls over AJP, too: that hands on what it was asked, and has no identity of the mesh's. */
    @Test
    void ajpBesideHttp() {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        token = controlPlane.token("orders");
        List<Unsecurable> servers = List.of(TOMCAT_10_1, UNDERTOW_2_4);
        List<JvmProcess> processes = new ArrayList<>();
        List<Integer> closing = new ArrayList<>();
        List<Integer> excepted = new ArrayList<>();
        for (Unsecurable server : servers) {
            closing.add(Port.unused());
            processes.add(withAjp(server, closing.get(closing.size() - 1)).driver(server.driver, "v1"));
            excepted.add(Port.unused());
            processes.add(withAjp(server, excepted.get(excepted.size() - 1)).environment("WEFT_PORTS", "1").driver(server.driver, "v1"));
        }
        processes.forEach(JvmProcess::awaitPort);
        await().until(() -> closing.stream().allMatch(UnsecurableServerIT::answersAjp));
        assertThat(excepted).allMatch(UnsecurableServerIT::answersAjp);

        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        await().until(() -> closing.stream().noneMatch(UnsecurableServerIT::answersAjp));
        assertThat(excepted).as("left out of weft.ports").allMatch(UnsecurableServerIT::answersAjp);
        for (Unsecurable server : servers) {
            int port = Port.unused();
            int management = Port.unused();
            JvmProcess late = withAjp(server, port)
                    .option("-Dcom.sun.management.jmxremote.port=" + management)
                    .option("-Dcom.sun.management.jmxremote.authenticate=false")
                    .option("-Dcom.sun.management.jmxremote.ssl=false")
                    .driver(server.driver, "v1");
            late.awaitPort();
            late.awaitStderr(line -> line.contains("does not speak HTTP") && line.contains("weft.ports"));
            late.awaitStderr(line -> line.contains("port " + management + " is open to everyone, although policy demands mesh TLS"));
            assertThat(answersAjp(port)).as("started while it is strict, HTTP serving").isFalse();
        }
    }

    private JvmCommand withAjp(Unsecurable server, int port) {
        return member(server, Jdks.newest()).option("-Ddriver.ajp=" + port).option("-Dio.undertow.ajp.REQUIRE_AJP_SECRET=false");
    }

    /** Whether a GET of / over AJP 1.3 is answered with 200. */
    private static boolean answersAjp(int port) {
        String request = "\2\2" + ajp("HTTP/1.1") + ajp("/") + ajp("127.0.0.1") + ajp("localhost") + ajp("localhost") + "\0\120" + "\0" + "\0\0" + "\u00ff";
        try (RawClient client = new RawClient(port)) {
            client.send("\u0012\u0034" + number(request.length()) + request);
            byte[] head = client.read("AB".length() + 2 + 1 + 2);
            return head.length == 7 && head[4] == 4 && head[5] == 0 && (head[6] & 0xff) == 200;
        } catch (UncheckedIOException refused) {
            return false;
        }
    }

    private static String ajp(String text) {
        return number(text.length()) + text + '\0';
    }

    private static String number(int value) {
        return "" + (char) (value >> 8) + (char) (value & 0xff);
    }

    private void whereItWouldHaveToBeSecuredItDoesNotServe(Unsecurable server, Jdk jdk) {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        token = controlPlane.token("orders");
        JvmProcess early = member(server, jdk).driver(server.driver, "v1");
        int port = early.awaitPort();
        RawClient kept = kept(port);
        early.awaitStderr(line -> line.contains(server.module) && line.contains("nobody of the mesh calls its ports"));

        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        await().until(() -> !answers(port));
        assertThat(kept.readAll()).as("a connection from before, closed in the end").isEmpty();
        early.awaitStderr(line -> line.contains("port " + port) && line.contains("which this port cannot be given"));

        JvmProcess late = member(server, jdk).driver(server.driver, "v1");
        JvmProcess allowed = member(server, jdk)
                .environment("WEFT_INSTRUMENTATION_" + server.module.toUpperCase(Locale.ROOT) + "_ENABLED", "false")
                .driver(server.driver, "v1");
        String refusal = server.module + " must not serve on port ";
        late.awaitStderr(line -> line.contains(refusal) && line.contains("weft.instrumentation." + server.module + ".enabled=false"));
        late.awaitStderr(line -> line.contains("Exception in thread \"main\""));
        assertThat(late.stdout()).as("the port that an app tells once it serves").isEmpty();
        assertThat(answers(allowed.awaitPort())).as("allowed by name").isTrue();
    }

    /** A connection over which a request was answered. */
    private RawClient kept(int port) {
        RawClient client = testbed.closeAfterwards(new RawClient(port));
        client.send(KEEP);
        assertThat(client.readHead()).startsWith("HTTP/1.1 200");
        assertThat(client.readWithin(30_000)).isEqualTo('v');
        assertThat(client.readWithin(30_000)).isEqualTo('1');
        return client;
    }

    private static boolean answers(int port) {
        try {
            return new String(RawClient.ask(port, CLOSE), StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200");
        } catch (UncheckedIOException refused) {
            return false;
        }
    }
}
