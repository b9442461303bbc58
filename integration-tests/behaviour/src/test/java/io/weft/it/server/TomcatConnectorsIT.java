package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.it.harness.Authority;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tomcat's connectors that no mesh TLS is spoken on: who calls is asked about all the same, and what has to be secured gets nowhere. */
class TomcatConnectorsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String HEAD = " HTTP/1.1\r\nHost: orders\r\n";
    private static final Authority MESH = new Authority("mesh");
    private static final SSLContext SHOP = MESH.certify("spiffe://mesh/shop").trusting(MESH);
    private static final Path LIBRARIES = Path.of("/usr/lib");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();

    @Test
    void nio2() {
        whatHasToBeSecuredGetsNowhere("org.apache.coyote.http11.Http11Nio2Protocol", "tomcat-9", "");
    }

    /** APR, of Tomcat 9 only; with Tomcat's native library, as Debian has it. */
    @Test
    void nativeOne() throws IOException {
        try (Stream<Path> files = Files.find(LIBRARIES, 2, (file, attributes) -> file.endsWith("libtcnative-1.so"))) {
            Path library = files.findFirst().orElse(null);
            assumeTrue(library != null, "libtcnative-1 is not installed");
            whatHasToBeSecuredGetsNowhere("org.apache.coyote.http11.Http11AprProtocol", "tomcat-9-apr", library.getParent().toString());
        }
    }

    private void whatHasToBeSecuredGetsNowhere(String protocol, String version, String libraries) {
        policies.serve(Policy.empty());
        JvmProcess process = testbed.jvm("orders", Jdks.newest())
                .mesh(policies.uri(), "orders")
                .unguarded()
                .option("-Dtomcat.protocol=" + protocol)
                .option("-Djava.library.path=" + libraries)
                .classPath(Library.named(version))
                .driver("io.weft.driver.tomcat.javax.TomcatServer", "orders");
        int port = process.awaitPort();
        Inbounds inbounds = Inbounds.of(port, MESH, MESH.certify("spiffe://mesh/orders"));
        try (RawClient kept = new RawClient(port)) {
            kept.send("GET /kept" + HEAD + "\r\n");
            assertThat(kept.readHead()).startsWith("HTTP/1.1 200");
            policies.serve(Policy.empty().listener(inbounds.forbidding("/denied")));
            await().atMost(PATIENCE).until(() -> ask(port, "/denied").startsWith("HTTP/1.1 403"));
            assertThat(ask(port, "/other")).startsWith("HTTP/1.1 200");

            policies.serve(Policy.empty().listener(inbounds.strict()));
            await().atMost(PATIENCE).until(() -> ask(port, "/other").isEmpty());
            assertThat(askSecured(port)).as("mesh TLS").isEmpty();
            kept.send("GET /again" + HEAD + "\r\n");
            assertThat(text(kept::readAll)).as("a connection from before").doesNotContain("HTTP/1.1");
        }
        process.awaitStderr(line -> line.contains("on " + protocol) && line.contains("mesh TLS is not spoken and what must be secured is refused"));

        policies.serve(Policy.empty().listener(inbounds.plaintext()));
        await().atMost(PATIENCE).until(() -> ask(port, "/other").startsWith("HTTP/1.1 200"));
        assertThat(policies.refusals()).isEmpty();
    }

    /** Empty: the connection was closed instead. */
    private static String ask(int port, String path) {
        return text(() -> RawClient.ask(port, "GET " + path + HEAD + "Connection: close\r\n\r\n"));
    }

    private static String text(Supplier<byte[]> answer) {
        try {
            return new String(answer.get(), StandardCharsets.ISO_8859_1);
        } catch (UncheckedIOException reset) {
            return "";
        }
    }

    private static String askSecured(int port) {
        try {
            return new String(TlsClient.ask(SHOP, port, "GET /" + HEAD + "Connection: close\r\n\r\n"), StandardCharsets.ISO_8859_1);
        } catch (IOException refused) {
            return "";
        }
    }
}
