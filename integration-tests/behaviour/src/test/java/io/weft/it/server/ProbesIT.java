package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What somebody sends who does not keep to the rules, by OpenSSL or byte by byte, to a port that takes only mesh TLS. */
@ParameterizedClass
@EnumSource(names = {"TOMCAT_11", "JDK_HTTP_SERVER"})
class ProbesIT {
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long OPENSSL_SECONDS = 30;
    private static final Authority MESH = new Authority("mesh");
    private static final SSLContext SHOP = MESH.certify("spiffe://mesh/shop").trusting(MESH);

    @Parameter
    Server server;

    private static Testbed testbed;
    private static Path folder;
    private static int port;

    @BeforeParameterizedClassInvocation
    static void start(Server server) throws IOException {
        testbed = new Testbed();
        folder = testbed.temporaryFolder();
        Files.writeString(folder.resolve("ca.pem"), Certified.pem(MESH.certificate()));
        PolicyServer policies = testbed.policyServer();
        Policy others = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));
        policies.serve(others);
        JvmProcess process = server.start(testbed.jvm(server.toString(), Jdks.newest()).mesh(policies.uri(), "orders"), "v1");
        port = process.awaitPort();
        policies.serve(others.listener(Inbounds.of(port, MESH, MESH.certify("spiffe://mesh/orders")).strict()));
        assertThat(text(TlsClient.ask(SHOP, port, REQUEST))).startsWith("HTTP/1.1 200");
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        testbed.close();
    }

    private static String text(byte[] answer) {
        return new String(answer, StandardCharsets.ISO_8859_1);
    }

    /** Others are served as ever. */
    private static void assertServes() throws IOException {
        assertThat(text(TlsClient.ask(SHOP, port, REQUEST))).startsWith("HTTP/1.1 200");
    }

    private static String openssl(String input, Stream<String> arguments) {
        try {
            Path in = Files.writeString(Files.createTempFile(folder, "in", ""), input);
            Path out = Files.createTempFile(folder, "out", "");
            Process process = new ProcessBuilder(Stream.concat(Stream.of("openssl"), arguments).toList())
                    .redirectInput(in.toFile()).redirectErrorStream(true).redirectOutput(out.toFile()).start();
            if (!process.waitFor(OPENSSL_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            return text(Files.readAllBytes(out));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void assumeOpenssl() {
        boolean found = Stream.of(System.getenv("PATH").split(":")).anyMatch(path -> Files.isExecutable(Path.of(path, "openssl")));
        assumeTrue(found, "openssl is not installed");
    }

    /** All that OpenSSL prints about a connection over which it sends the request. */
    private static String client(String... arguments) {
        return openssl(REQUEST, Stream.concat(Stream.of("s_client", "-connect", "127.0.0.1:" + port, "-ign_eof", "-servername",
                "orders{kuma.io/service=orders}", "-alpn", "kuma", "-CAfile", folder.resolve("ca.pem").toString()), Arrays.stream(arguments)));
    }

    private static String[] as(String name, Certified certified, String... more) {
        try {
            Path certificate = Files.writeString(folder.resolve(name + ".crt"), certified.certificatePem());
            Path key = Files.writeString(folder.resolve(name + ".key"), certified.keyPem());
            return with(certificate, key, more);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String[] with(Path certificate, Path key, String... more) {
        return Stream.concat(Stream.of("-cert", certificate.toString(), "-key", key.toString()), Arrays.stream(more)).toArray(String[]::new);
    }

    @Test
    void onlyWhoIsWhoPolicySaysGetsAnAnswer() throws IOException {
        assumeOpenssl();
        Certified shop = MESH.certify("spiffe://mesh/shop");
        SoftAssertions soft = new SoftAssertions();
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            soft.assertThat(client(as("shop", shop, version))).as("a member, " + version).contains("HTTP/1.1 200");
            soft.assertThat(client(version)).as("no certificate, " + version).doesNotContain("HTTP/1.1");
            soft.assertThat(client(as("wrong-ca", new Authority("other").certify("spiffe://mesh/shop"), version)))
                    .as("wrong CA, " + version).doesNotContain("HTTP/1.1");
        }
        Duration yesterday = Duration.ofHours(-1);
        soft.assertThat(client(as("expired", MESH.certify(Duration.ofDays(-2), Authority.uri("spiffe://mesh/shop")))))
                .as("expired").doesNotContain("HTTP/1.1");
        soft.assertThat(client(as("early", MESH.certify(Duration.ofHours(2), Authority.uri("spiffe://mesh/shop")))))
                .as("not yet valid").doesNotContain("HTTP/1.1");
        soft.assertThat(client(as("domain", MESH.certify("spiffe://elsewhere/shop")))).as("wrong trust domain").doesNotContain("HTTP/1.1");
        soft.assertThat(client(as("prefix", MESH.certify("spiffe://mesh.evil/shop")))).as("wrong SPIFFE ID").doesNotContain("HTTP/1.1");
        soft.assertThat(client(as("nameless", MESH.certify()))).as("no SAN").doesNotContain("HTTP/1.1");
        soft.assertThat(client(as("dns", MESH.certify(yesterday, Authority.dns("spiffe://mesh/shop")))))
                .as("the ID as a DNS name").doesNotContain("HTTP/1.1");
        // As with Envoy one of several names that policy admits is enough.
        soft.assertThat(client(as("both", MESH.certify(yesterday, Authority.dns("shop"), Authority.uri("spiffe://mesh/shop")))))
                .as("two SANs").contains("HTTP/1.1 200");
        soft.assertThat(client(as("neither", MESH.certify("spiffe://elsewhere/shop", "spiffe://nowhere/shop"))))
                .as("two SANs that policy does not admit").doesNotContain("HTTP/1.1");
        soft.assertThat(selfSigned()).as("self-signed").doesNotContain("HTTP/1.1");
        soft.assertAll();
        assertServes();
    }

    private static String selfSigned() {
        Path key = folder.resolve("self.key");
        Path certificate = folder.resolve("self.crt");
        openssl("", Stream.of("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=mesh",
                "-addext", "subjectAltName=URI:spiffe://mesh/shop", "-keyout", key.toString(), "-out", certificate.toString()));
        assertThat(certificate).isNotEmptyFile();
        return client(with(certificate, key));
    }

    @Test
    void whatIsWeakIsNotSpoken() throws IOException {
        assumeOpenssl();
        Certified shop = MESH.certify("spiffe://mesh/shop");
        SoftAssertions soft = new SoftAssertions();
        for (String version : List.of("-tls1", "-tls1_1")) {
            soft.assertThat(client(as("old", shop, version, "-cipher", "ALL:@SECLEVEL=0"))).as(version).doesNotContain("HTTP/1.1");
        }
        for (String suites : List.of("NULL", "aNULL", "3DES", "RC4", "EXPORT", "kRSA", "DES")) {
            soft.assertThat(client(as("weak", shop, "-tls1_2", "-cipher", suites + ":@SECLEVEL=0"))).as(suites).doesNotContain("HTTP/1.1");
        }
        soft.assertAll();
        assertServes();
    }

    @Test
    void aSessionIsResumed() {
        assumeOpenssl();
        Certified shop = MESH.certify("spiffe://mesh/shop");
        for (String version : List.of("-tls1_2", "-tls1_3")) {
            Path session = folder.resolve("session" + version);
            String first = client(as("resuming", shop, version, "-sess_out", session.toString()));
            assertThat(first).contains("HTTP/1.1 200").contains("New, TLSv1");
            assertThat(session).as(version).isNotEmptyFile();
            assertThat(client(as("resuming", shop, version, "-sess_in", session.toString())))
                    .as(version).contains("HTTP/1.1 200").contains("Reused, TLSv1");
        }
    }

    @Test
    void nobodyChangesWhoHeIs() throws IOException {
        try (TlsClient client = new TlsClient(SHOP, port, parameters -> parameters.setProtocols(new String[] {"TLSv1.2"}))) {
            client.socket().startHandshake();
            client.socket().getSession().invalidate();
            // The second one, on a connection that is there: a renegotiation.
            assertThatThrownBy(() -> {
                client.socket().startHandshake();
                client.send(REQUEST);
                if (client.socket().getInputStream().read() < 0) {
                    throw new IOException("closed");
                }
            }).isInstanceOf(IOException.class);
        }
        assertServes();
    }

    @Test
    void plaintextWithinTlsEndsTheConnection() throws IOException {
        try (Socket wire = new Socket(InetAddress.getLoopbackAddress(), port);
                TlsClient client = new TlsClient(SHOP, wire)) {
            client.socket().startHandshake();
            wire.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
            assertThat(untilItsEnd(wire)).doesNotContain("HTTP/1.1");
        }
        try (Socket wire = new Socket(InetAddress.getLoopbackAddress(), port)) {
            wire.getOutputStream().write(REQUEST.getBytes(StandardCharsets.US_ASCII));
            assertThat(untilItsEnd(wire)).doesNotContain("HTTP/1.1");
        }
        assertServes();
    }

    private static String untilItsEnd(Socket wire) throws IOException {
        wire.setSoTimeout((int) PATIENCE.toMillis());
        try {
            return text(wire.getInputStream().readAllBytes());
        } catch (SocketException reset) {
            return "";
        }
    }

    @Test
    void oneByteAtATimeIsSlowAndNothingElse() throws IOException {
        try (Socket wire = new Dripping(); TlsClient client = new TlsClient(SHOP, wire)) {
            client.send(REQUEST);
            assertThat(text(client.socket().getInputStream().readAllBytes())).startsWith("HTTP/1.1 200");
        }
    }

    /** Sends each byte by itself. */
    private static final class Dripping extends Socket {
        Dripping() throws IOException {
            super(InetAddress.getLoopbackAddress(), port);
            setTcpNoDelay(true);
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return new FilterOutputStream(super.getOutputStream());
        }
    }

    @Test
    void aHandshakeThatDoesNotEndIsEndedAndKeepsNobodyWaiting() throws IOException {
        List<Socket> stuck = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                Socket wire = new Socket(InetAddress.getLoopbackAddress(), port);
                stuck.add(wire);
                // A record of 512 bytes that hold a client's hello, of which there are few.
                wire.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3});
            }
            for (int i = 0; i < 20; i++) {
                assertServes();
            }
            for (Socket wire : stuck) {
                assertThat(untilItsEnd(wire)).doesNotContain("HTTP/1.1");
            }
        } finally {
            for (Socket wire : stuck) {
                wire.close();
            }
        }
        await().atMost(PATIENCE).ignoreExceptions().untilAsserted(ProbesIT::assertServes);
    }
}
