package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A real nginx that knows nothing of the mesh in front of an app that is in it. Skipped, saying so, where there is none. It listens at a
 * Unix socket, and is told of its clients by the PROXY protocol, as behind a load balancer.
 */
class IngressIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Authority MESH = new Authority("mesh");
    private static final String INGRESS = "spiffe://mesh/ingress";
    /** What every node of a mesh is sent, too. */
    private static final Policy OTHERS = Policy.empty();
    private static final String PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private PolicyServer policies;
    private JvmProcess app;
    private int port;
    private Inbounds inbounds;

    @BeforeEach
    void startApp() throws IOException, InterruptedException {
        assumeTrue(hasNginx(), "no nginx");
        policies = testbed.policyServer();
        policies.serve(OTHERS);
        app = Server.TOMCAT_11.start(testbed.jvm("app", Jdks.newest()).mesh(policies.uri(), "orders").unguarded(), "v1");
        port = app.awaitPort();
        inbounds = Inbounds.of(port, MESH, MESH.certify("spiffe://mesh/orders"));
    }

    private static boolean hasNginx() throws InterruptedException {
        try {
            return new ProcessBuilder("nginx", "-v").redirectErrorStream(true).start().waitFor() == 0;
        } catch (IOException absent) {
            return false;
        }
    }

    @Test
    void aPermissivePortTakesWhatComesFromOutsideAsItIs() throws Exception {
        policies.serve(OTHERS.listener(inbounds.permissive()));
        Nginx nginx = nginx("proxy_pass http://127.0.0.1:" + port + ";");
        await().atMost(PATIENCE).ignoreExceptions().until(() -> nginx.get("/", "").startsWith("HTTP/1.1 200") && takesTls());

        assertThat(nginx.body("/header/x-forwarded-for", "")).isEqualTo("203.0.113.7");
        assertThat(nginx.body("/header/host", "")).isEqualTo("shop.example");
        assertThat(nginx.body("/header/traceparent", "traceparent: " + PARENT + "\r\n")).isEqualTo(PARENT);
        assertThat(nginx.body("/header/tracestate", "tracestate: kong=1\r\n")).isEqualTo("kong=1");
        // Who comes in plaintext cannot say that somebody has proved to be him.
        assertThat(nginx.body("/header/x-forwarded-client-cert", "x-forwarded-client-cert: URI=spiffe://mesh/shop\r\n")).isEqualTo("null");
    }

    @Test
    void aStrictPortTakesAnIngressWithAnIdentityOfItsOwnOnly() throws Exception {
        Certified identity = MESH.certify(INGRESS);
        Path folder = testbed.temporaryFolder();
        Path certificate = Files.writeString(folder.resolve("tls.crt"), identity.certificatePem());
        Path key = Files.writeString(folder.resolve("tls.key"), identity.keyPem());
        Nginx without = nginx("proxy_pass http://127.0.0.1:" + port + ";");
        // The app's certificate has a SPIFFE ID and no DNS name that nginx could ask for.
        Nginx with = nginx("proxy_pass https://127.0.0.1:" + port + "; proxy_ssl_certificate " + certificate
                + "; proxy_ssl_certificate_key " + key + ";");
        policies.serve(OTHERS.listener(inbounds.strictFor(INGRESS)));
        await().atMost(PATIENCE).ignoreExceptions().until(() -> with.get("/", "").startsWith("HTTP/1.1 200"));

        assertThat(with.body("/header/x-forwarded-client-cert", "")).contains("URI=" + INGRESS);
        assertThat(with.body("/header/x-forwarded-for", "")).isEqualTo("203.0.113.7");
        assertThat(without.get("/", "")).startsWith("HTTP/1.1 502");

        policies.serve(OTHERS.listener(inbounds.strictFor("spiffe://mesh/shop")));
        await().atMost(PATIENCE).until(() -> with.get("/", "").startsWith("HTTP/1.1 403"));
    }

    private boolean takesTls() throws IOException {
        byte[] answer = TlsClient.ask(MESH.certify("spiffe://mesh/shop").trusting(MESH), port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        return new String(answer, StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200");
    }

    private Nginx nginx(String pass) throws IOException {
        Path folder = testbed.temporaryFolder();
        Files.writeString(folder.resolve("nginx.conf"), """
                daemon off;
                master_process off;
                pid nginx.pid;
                error_log stderr;
                events {}
                http {
                  access_log off;
                  client_body_temp_path body;
                  proxy_temp_path proxy;
                  fastcgi_temp_path fastcgi;
                  uwsgi_temp_path uwsgi;
                  scgi_temp_path scgi;
                  server {
                    listen unix:%1$s/ingress.sock proxy_protocol;
                    location / {
                      %2$s
                      proxy_http_version 1.1;
                      proxy_set_header Connection "";
                      proxy_set_header Host $host;
                      proxy_set_header X-Forwarded-For $proxy_protocol_addr;
                    }
                  }
                }
                """.formatted(folder, pass));
        Process process = new ProcessBuilder("nginx", "-p", folder.toString(), "-c", folder.resolve("nginx.conf").toString(), "-e", "stderr")
                .redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
        testbed.closeAfterwards(() -> {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        });
        Path socket = folder.resolve("ingress.sock");
        await("nginx").atMost(PATIENCE).until(() -> {
            if (!process.isAlive()) {
                throw new IllegalStateException(Files.readString(folder.resolve("log")));
            }
            return Files.exists(socket);
        });
        return new Nginx(socket);
    }

    private record Nginx(Path socket) {

        /** The whole answer to a client at 203.0.113.7. */
        String get(String path, String headers) throws IOException {
            try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                channel.connect(UnixDomainSocketAddress.of(socket));
                channel.write(ByteBuffer.wrap(("PROXY TCP4 203.0.113.7 192.0.2.1 50000 80\r\nGET " + path
                        + " HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n" + headers + "\r\n").getBytes(StandardCharsets.ISO_8859_1)));
                return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.ISO_8859_1);
            }
        }

        /** Of an answer whose length is known. */
        String body(String path, String headers) throws IOException {
            String answer = get(path, headers);
            assertThat(answer).startsWith("HTTP/1.1 200");
            return answer.substring(answer.indexOf("\r\n\r\n") + 4);
        }
    }
}
