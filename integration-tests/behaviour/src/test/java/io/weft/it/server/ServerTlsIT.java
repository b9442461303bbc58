package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.weft.it.Ipv6;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** Mesh TLS of what comes in, on the port that the app has opened: who gets in, and that the app cannot tell. */
@ParameterizedClass(name = "{arguments}")
@ArgumentsSource(Server.Matrix.class)
class ServerTlsIT {
    private static final String CLOSE = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int FILE_SIZE = 32 << 20;
    private static final long BIG_FILE_SIZE = 1L << 30;

    // Of HTTP/2.
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int SETTINGS = 4;
    private static final int GOAWAY = 7;

    private static final Authority MESH = new Authority("mesh");
    private static final Authority OTHER = new Authority("other");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    private static final SSLContext SHOP = MESH.certify("spiffe://mesh/shop").trusting(MESH);
    /** What every node of a mesh is sent, too. */
    private static final Policy OTHERS = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));

    @Parameter(0)
    Jdk jdk;

    @Parameter(1)
    Server server;

    private static Testbed testbed;
    private static PolicyServer policies;
    private static JvmProcess process;
    private static int port;
    private static Inbounds inbounds;

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk, Server server) {
        testbed = new Testbed();
        policies = testbed.policyServer();
        policies.serve(OTHERS);
        process = server.start(testbed.jvm(server + " in the mesh", jdk).mesh(policies.uri(), "orders").unguarded(), "v1");
        port = process.awaitPort();
        inbounds = Inbounds.of(port, MESH, ORDERS);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        try {
            assertThat(policies.refusals()).isEmpty();
        } catch (AssertionError e) {
            testbed.report();
            throw e;
        } finally {
            testbed.close();
        }
    }

    /** Serves a listener, and returns when it is in force. */
    private static void serve(Listener listener, Callable<Boolean> inForce) {
        policies.serve(OTHERS.listener(listener));
        await().atMost(PATIENCE).ignoreExceptions().until(inForce);
    }

    private static boolean takesTls() throws IOException {
        return text(TlsClient.ask(SHOP, port, "GET /" + CLOSE)).startsWith("HTTP/1.1 200");
    }

    private static boolean takesPlaintext() {
        try {
            return text(RawClient.ask(port, "GET /" + CLOSE)).startsWith("HTTP/1.1 200");
        } catch (UncheckedIOException refused) {
            return false;
        }
    }

    private static String text(byte[] answer) {
        return new String(answer, StandardCharsets.ISO_8859_1);
    }

    @BeforeEach
    void isExpectedOfTheServer(TestInfo test) {
        Trait.assume(test, server);
    }

    @Test
    void overIpv6TheSameHolds() throws IOException {
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());

        InetAddress localhost = Ipv6.loopback();
        try (TlsClient client = new TlsClient(SHOP, new Socket(localhost, port))) {
            client.send("GET /" + CLOSE);
            assertThat(text(client.socket().getInputStream().readAllBytes())).startsWith("HTTP/1.1 200");
        }
        try (Socket plaintext = new Socket(localhost, port)) {
            plaintext.getOutputStream().write(("GET /" + CLOSE).getBytes(StandardCharsets.ISO_8859_1));
            assertThat(ended(plaintext)).doesNotContain("200");
        }
    }

    /** What has come until then. */
    private static String ended(Socket socket) {
        try {
            return text(socket.getInputStream().readAllBytes());
        } catch (IOException reset) {
            return "";
        }
    }

    @Test
    void theSizesOfBodiesAreCounted() throws IOException {
        // Before there is a policy, plaintext is taken, too, and nothing is counted.
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());
        serve(inbounds.plaintext(), ServerTlsIT::takesPlaintext);
        Path socket = AdminPage.usualSocket(process);
        await().until(() -> AdminPage.isOpen(socket));
        double received = AdminPage.sum(socket, "istio_request_bytes_sum", "reporter=\"destination\"");
        double sent = AdminPage.sum(socket, "istio_response_bytes_sum", "reporter=\"destination\"");

        int length = body(RawClient.ask(port, "GET /bytes/300000" + CLOSE));
        RawClient.ask(port, "GET /chunks" + CLOSE);
        RawClient.ask(port, "HEAD /" + CLOSE);
        int answer = body(RawClient.ask(
                port, "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n" + "y".repeat(2_000)));

        assertThat(length).isEqualTo(300_000);
        int chunks = server == Server.JDK_HTTP_SERVER ? 0 : "one two three".length();
        await().untilAsserted(() -> {
            assertThat(AdminPage.sum(socket, "istio_request_bytes_sum", "reporter=\"destination\"") - received).isEqualTo(2_000);
            assertThat(AdminPage.sum(socket, "istio_response_bytes_sum", "reporter=\"destination\"") - sent).isEqualTo(length + chunks + answer);
        });
    }

    /** How long the body is, without the frames of its chunks. */
    private static int body(byte[] answer) {
        String text = text(answer);
        int start = text.indexOf("\r\n\r\n") + 4;
        if (!text.substring(0, start).toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked")) {
            return text.length() - start;
        }
        int length = 0;
        for (int chunk = -1; chunk != 0; ) {
            int end = text.indexOf("\r\n", start);
            chunk = Integer.parseInt(text.substring(start, end), 16);
            length += chunk;
            start = end + 2 + chunk + 2;
        }
        return length;
    }

    @Test
    void permissiveTakesBothAndTheAppCannotTell() throws IOException {
        serve(inbounds.permissive(), ServerTlsIT::takesTls);
        List<String> requests = new ArrayList<>(List.of(
                "GET /a?b=c" + CLOSE,
                "GET /seen" + CLOSE,
                "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\nGET /third" + CLOSE,
                "GET / HTTP/1.0\r\n\r\n",
                "HEAD /" + CLOSE,
                "GET /chunks" + CLOSE,
                "GET /fail" + CLOSE,
                "GET /async/20" + CLOSE,
                "GET /bytes/300000" + CLOSE,
                "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n" + "y".repeat(200_000),
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n"));
        requests.add("GET /a\r\n\r\n");
        if (server.isServletContainer()) {
            requests.add("GET /dispatch/20" + CLOSE);
            // As many as Tomcat takes, and more than it does: what the mesh adds is not counted.
            requests.add("GET /" + CLOSE.replace("\r\n\r\n", headers(98)));
            requests.add("GET /" + CLOSE.replace("\r\n\r\n", headers(250)));
        }
        if (server.sendsFiles()) {
            requests.add("GET /file" + CLOSE);
        }
        if (server.closesAsItReads()) {
            requests.removeIf(request -> request.indexOf("GET ", 1) > 0);
        }
        if (server.isHelidon()) {
            // It knows no other version: of a short request it waits for the rest, for minutes.
            requests.removeIf(request -> !request.contains(" HTTP/1.1\r\n"));
        }
        SoftAssertions soft = new SoftAssertions();
        for (String request : requests) {
            byte[] plaintext = RawClient.ask(port, request);
            byte[] secured = TlsClient.ask(SHOP, port, request);
            String name = request.substring(0, Math.min(60, request.length()));
            soft.assertThat(head(secured)).as(name).isEqualTo(head(plaintext));
            soft.assertThat(secured.length).as("length of " + name).isEqualTo(plaintext.length);
            soft.assertThat(Arrays.hashCode(tail(secured))).as("body of " + name).isEqualTo(Arrays.hashCode(tail(plaintext)));
        }
        soft.assertAll();
        assertThat(takesPlaintext()).isTrue();
    }

    private static String headers(int count) {
        return IntStream.range(0, count).mapToObj(i -> "\r\nX-" + i + ": y").collect(Collectors.joining()) + "\r\n\r\n";
    }

    private static String head(byte[] answer) {
        return text(Arrays.copyOf(answer, Math.min(4096, answer.length))).replaceAll("(?im)^(Date|Expires|Last-Modified): .*$", "$1:");
    }

    private static byte[] tail(byte[] answer) {
        return Arrays.copyOfRange(answer, Math.min(4096, answer.length), answer.length);
    }

    @Test
    void aConnectionIsKeptAndItsSessionResumed() throws IOException {
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());
        for (String protocol : List.of("TLSv1.2", "TLSv1.3")) {
            try (TlsClient client = new TlsClient(SHOP, port, parameters -> parameters.setProtocols(new String[] {protocol}))) {
                for (int i = 0; i < 20; i++) {
                    client.send("GET /" + i + " HTTP/1.1\r\nHost: x\r\n\r\n");
                    assertThat(text(client.socket().getInputStream().readNBytes(12))).isEqualTo("HTTP/1.1 200");
                    readResponse(client);
                }
                assertThat(client.socket().getSession().getProtocol()).isEqualTo(protocol);
                assertThat(client.socket().getApplicationProtocol()).isEmpty();
            }
        }
    }

    /** After the first twelve bytes of it. */
    private static void readResponse(TlsClient client) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) client.socket().getInputStream().read());
        }
        client.socket().getInputStream().readNBytes(2);
    }

    @Test
    void strictRefusesWhoIsNotOfTheMesh() {
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());
        SoftAssertions soft = new SoftAssertions();
        refused(soft, "another authority", OTHER.certify("spiffe://mesh/shop").trusting(MESH));
        refused(soft, "expired", MESH.certify(Duration.ofDays(-2), Authority.uri("spiffe://mesh/shop")).trusting(MESH));
        refused(soft, "not yet valid", MESH.certify(Duration.ofHours(2), Authority.uri("spiffe://mesh/shop")).trusting(MESH));
        refused(soft, "another trust domain", MESH.certify("spiffe://other/shop").trusting(MESH));
        refused(soft, "no name", MESH.certify().trusting(MESH));
        refused(soft, "a DNS name only", MESH.certify(Duration.ofHours(-1), Authority.dns("shop")).trusting(MESH));
        refused(soft, "no certificate", anonymous());
        soft.assertThat(takesPlaintext()).as("plaintext").isFalse();
        soft.assertAll();
        assertThatThrownBy(() -> TlsClient.ask(MESH.certify("spiffe://mesh/shop").trusting(OTHER), port, "GET /" + CLOSE))
                .as("a client that does not trust the app").isInstanceOf(IOException.class);
    }

    private static SSLContext anonymous() {
        return Certified.anonymousTrusting(MESH);
    }

    private static void refused(SoftAssertions soft, String who, SSLContext context) {
        soft.assertThatThrownBy(() -> {
            byte[] answer = TlsClient.ask(context, port, "GET /" + CLOSE);
            if (answer.length == 0) {
                throw new IOException("closed without an answer");
            }
        }).as(who).isInstanceOf(IOException.class);
    }

    @Test
    void aSwitchLetsOldConnectionsFinish() throws IOException {
        serve(inbounds.plaintext(), ServerTlsIT::takesPlaintext);
        try (RawClient old = new RawClient(port)) {
            old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(old.readHead()).startsWith("HTTP/1.1 200").doesNotContainIgnoringCase("connection: close");
            serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());

            old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(text(old.readAll())).contains("HTTP/1.1 200").containsIgnoringCase("connection: close");
        }
        try (TlsClient old = new TlsClient(SHOP, port)) {
            old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(text(old.socket().getInputStream().readNBytes(12))).isEqualTo("HTTP/1.1 200");
            readResponse(old);
            serve(inbounds.plaintext(), ServerTlsIT::takesPlaintext);

            old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(text(old.socket().getInputStream().readAllBytes()))
                    .contains("HTTP/1.1 200").containsIgnoringCase("connection: close");
        }
    }

    @Test
    void aNewCertificateCutsNobodyAndWhoIsNotTrustedAnyLongerGetsOneMoreAnswer() throws IOException {
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());
        try (TlsClient old = new TlsClient(SHOP, port)) {
            assertThat(next(old)).startsWith("HTTP/1.1 200").doesNotContainIgnoringCase("connection: close");
            Certified renewed = MESH.certify("spiffe://mesh/orders");
            serve(Inbounds.of(port, MESH, renewed).strict(), () -> shows(renewed));
            assertThat(next(old)).startsWith("HTTP/1.1 200").doesNotContainIgnoringCase("connection: close");

            Authority root = new Authority("root");
            SSLContext trusted = root.certify("spiffe://mesh/shop").trusting(MESH);
            serve(Inbounds.of(port, root, renewed).strict(), () -> text(TlsClient.ask(trusted, port, "GET /" + CLOSE)).startsWith("HTTP/1.1 200"));
            old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(text(old.socket().getInputStream().readAllBytes()))
                    .contains("HTTP/1.1 200").containsIgnoringCase("connection: close");
        }
    }

    /** As every sidecar does it: with HTTP/2 there is no response that could say so. */
    @Test
    @Takes(Trait.SPEAKS_HTTP_2_UNASKED)
    void overHttp2WhoIsNotTrustedAnyLongerIsToldSoWithAnAnswer() throws IOException {
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());
        try (TlsClient old = new TlsClient(SHOP, port)) {
            DataInputStream in = new DataInputStream(old.socket().getInputStream());
            old.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, ""));
            old.send(get(1));
            assertThat(framesUntil(in, Set.of("v1 on 1"))).doesNotContain("goaway");

            Authority root = new Authority("root");
            SSLContext trusted = root.certify("spiffe://mesh/shop").trusting(MESH);
            serve(Inbounds.of(port, root, ORDERS).strict(), () -> text(TlsClient.ask(trusted, port, "GET /" + CLOSE)).startsWith("HTTP/1.1 200"));
            // What is under way when it is told is answered, though another is done before.
            old.send(get(3, "/slow/500") + get(5));
            assertThat(framesUntil(in, Set.of("v1 on 3", "v1 on 5", "goaway"))).contains("v1 on 3", "v1 on 5", "goaway");
        }
    }

    /** Whoever is not of the mesh yet, in plaintext; Tomcat looks for the preface in what it reads first. */
    @Test
    @Takes(Trait.SPEAKS_HTTP_2_UNASKED)
    void permissiveTakesHttp2InPlaintext() throws IOException {
        serve(inbounds.permissive(), () -> takesPlaintext() && takesTls());
        try (Socket other = new Socket(InetAddress.getLoopbackAddress(), port)) {
            other.setSoTimeout((int) PATIENCE.toMillis());
            other.getOutputStream().write(
                    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, "") + get(1)).getBytes(StandardCharsets.ISO_8859_1));
            assertThat(framesUntil(new DataInputStream(other.getInputStream()), Set.of("v1 on 1"))).doesNotContain("goaway");
        }
    }

    private static String frame(int type, int flags, int stream, String payload) {
        return "\0\0" + (char) payload.length() + (char) type + (char) flags + "\0\0\0" + (char) stream + payload;
    }

    /** Of the static table of RFC 7541: GET, http and /; then the authority x. */
    private static String get(int stream) {
        return frame(HEADERS, 0x5, stream, "\u0082\u0086\u0084\u0041\u0001x");
    }

    /** With a path that no table has. */
    private static String get(int stream, String path) {
        return frame(HEADERS, 0x5, stream, "\u0082\u0086\u0004" + (char) path.length() + path + "\u0041\u0001x");
    }

    /** What is of interest of what comes, until all of that has come. */
    private static Set<String> framesUntil(DataInputStream in, Set<String> wanted) throws IOException {
        Set<String> seen = new HashSet<>();
        while (!seen.containsAll(wanted)) {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            in.readUnsignedByte();
            int stream = in.readInt();
            byte[] payload = in.readNBytes(length);
            if (type == DATA) {
                seen.add(text(payload) + " on " + stream);
            } else if (type == GOAWAY) {
                seen.add("goaway");
            }
        }
        return seen;
    }

    private static String next(TlsClient client) throws IOException {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        String head = readHead(client.socket().getInputStream());
        client.socket().getInputStream().readNBytes(2);
        return head;
    }

    private static boolean shows(Certified certificate) throws IOException {
        try (TlsClient client = new TlsClient(SHOP, port)) {
            return client.socket().getSession().getPeerCertificates()[0].equals(certificate.certificate());
        }
    }

    @Test
    void whoCallsIsKnownToRulesAndToTheApp() throws IOException {
        serve(inbounds.strictFor("spiffe://mesh/shop"), () -> !takesPlaintext() && takesTls());

        String seen = text(TlsClient.ask(SHOP, port, "GET /header/x-forwarded-client-cert HTTP/1.1\r\nHost: x\r\n"
                + "X-Forwarded-Client-Cert: URI=spiffe://mesh/admin\r\nConnection: close\r\n\r\n"));
        assertThat(seen).contains("By=spiffe://mesh/orders;Hash=").contains(";URI=spiffe://mesh/shop").doesNotContain("admin");
        assertThat(text(TlsClient.ask(MESH.certify("spiffe://mesh/users").trusting(MESH), port, "GET /" + CLOSE)))
                .startsWith("HTTP/1.1 403").contains("RBAC: access denied");

        serve(inbounds.plaintext(), ServerTlsIT::takesPlaintext);
        assertThat(text(RawClient.ask(port, "GET /header/x-forwarded-client-cert HTTP/1.1\r\nHost: x\r\n"
                        + "X-Forwarded-Client-Cert: URI=spiffe://mesh/admin\r\nConnection: close\r\n\r\n")))
                .endsWith("null");
    }

    /** As Istio says it: permissive, and a rule that lets nobody without an identity ask for anything else. */
    @Test
    void aPathMayBeExceptedForWhoeverChecksHealth() throws IOException {
        serve(inbounds.strictExcept("/health"), () -> !takesPlaintext() && takesTls());

        assertThat(text(RawClient.ask(port, "GET /health" + CLOSE))).startsWith("HTTP/1.1 200");
        for (String other : List.of("/", "/healthy", "/health/", "/health/..", "/other?/health")) {
            assertThat(text(RawClient.ask(port, "GET " + other + CLOSE))).as(other).startsWith("HTTP/1.1 403");
        }
        assertThat(text(TlsClient.ask(SHOP, port, "GET /other" + CLOSE))).startsWith("HTTP/1.1 200");
    }

    @Test
    void withoutAValidIdentityNobodyGetsIn() {
        // What is in force would wait for its certificate.
        policies.serve(OTHERS);
        await().atMost(PATIENCE).until(ServerTlsIT::takesPlaintext);
        serve(Inbounds.withoutIdentity(port, MESH).strict(), () -> !takesPlaintext());
        SoftAssertions soft = new SoftAssertions();
        refused(soft, "without an identity", SHOP);
        process.awaitStderr(line -> line.contains("port " + port) && line.contains("no certificate"));

        Certified expired = MESH.certify(Duration.ofDays(-2), Authority.uri("spiffe://mesh/orders"));
        serve(Inbounds.of(port, MESH, expired).strict(), () -> {
            refused(new SoftAssertions(), "expired", SHOP);
            return process.stderr().stream().anyMatch(line -> line.contains("port " + port) && line.contains("not valid now"));
        });
        refused(soft, "with an expired identity", SHOP);
        soft.assertThat(takesPlaintext()).isFalse();
        soft.assertAll();

        serve(inbounds.strict(), ServerTlsIT::takesTls);
    }

    @Test
    @Takes(Trait.SENDS_FILES)
    void aFileGoesOutEncrypted() throws IOException {
        serve(inbounds.strict(), () -> !takesPlaintext() && takesTls());
        boolean whole = server == Server.TOMCAT_11 && jdk.feature() == Jdks.newest().feature();
        long size = whole ? BIG_FILE_SIZE : FILE_SIZE;
        try (Relay wire = Relay.to(port); TlsClient client = new TlsClient(SHOP, new Socket(InetAddress.getLoopbackAddress(), wire.port()))) {
            client.send("GET " + (whole ? "/big" : "/file") + CLOSE);
            InputStream in = client.socket().getInputStream();
            assertThat(readHead(in)).startsWith("HTTP/1.1 200");
            byte[] chunk = new byte[1 << 16];
            byte[] zeros = new byte[chunk.length];
            long received = 0;
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                assertThat(Arrays.equals(chunk, 0, read, zeros, 0, read)).as("what is in the file, at " + received).isTrue();
                received += read;
            }
            assertThat(received).isEqualTo(size);
            assertThat(wire.bytes()).isGreaterThan(size);
            assertThat(wire.isAllTls()).as("TLS and nothing else on the wire").isTrue();
        }
    }

    private static String readHead(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) in.read());
        }
        return head.toString();
    }
}
