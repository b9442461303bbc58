package io.weft.controlplane.injector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.weft.controlplane.ca.Pem;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over HTTPS, with the trust that the API server has by the webhook's configuration. */
class WebhookServerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final SharedCluster cluster = new SharedCluster();
    private Injector injector;
    private SSLContext trust;

    @BeforeEach
    void start() throws Exception {
        PodSettings pods = new PodSettings(
                new AgentImage("weft-agent:1", Optional.empty()), Optional.of(AgentDelivery.INIT_CONTAINER),
                URI.create("grpcs://weft-control-plane.weft-system.svc:5678"), "default", PodSettings.Trust.OURS, false);
        injector = Injector.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), pods, SharedCluster.CERTIFICATES,
                SharedCluster.NAMESPACE, cluster.replica().client());
        trust = trusting(Pem.certificates(cluster.caBundles().get(0)));
    }

    @AfterEach
    void close() {
        injector.close();
        cluster.close();
    }

    private static SSLContext trusting(List<X509Certificate> roots) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (X509Certificate root : roots) {
            store.setCertificateEntry(root.getSerialNumber().toString(), root);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    /** Resolved by nobody here, so the name is asked of the certificate as the API server does, over a socket of our own. */
    private SSLSocket connect(SSLContext context) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(new Socket(InetAddress.getLoopbackAddress(), injector.port()), SharedCluster.INJECTOR, 443, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setServerNames(List.of(new SNIHostName(SharedCluster.INJECTOR)));
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** The status, and the body. */
    private record Answer(int status, String body) {}

    private Answer send(String method, String path, String type, byte[] body) throws IOException {
        try (SSLSocket socket = connect(trust)) {
            socket.getOutputStream().write((method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + type
                    + "\r\nContent-Length: " + body.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(body);
            socket.getOutputStream().flush();
            String response = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Answer(Integer.parseInt(response.split(" ")[1]), response.substring(response.indexOf("\r\n\r\n") + 4));
        }
    }

    private Answer inject(byte[] review) throws IOException {
        // The API server adds its patience.
        return send("POST", "/inject?timeout=5s", "application/json", review);
    }

    @Test
    void aPodIsAdmittedWithTheAgent() throws IOException {
        Answer answer = inject(Pods.review());
        assertThat(answer.status()).isEqualTo(200);
        JsonNode response = Pods.json(answer.body().getBytes(StandardCharsets.UTF_8)).path("response");
        assertThat(response.path("uid").asText()).isEqualTo("6e8c1a2f-9a3f-4a55-8c52-0f8a9b4be0b7");
        assertThat(response.path("allowed").asBoolean()).isTrue();
        assertThat(response.path("patchType").asText()).isEqualTo("JSONPatch");
        JsonNode pod = Pods.admitted(Pods.review(), answer.body().getBytes(StandardCharsets.UTF_8));
        assertThat(pod.at("/spec/containers/0/env/0/value").asText()).isEqualTo("-Xmx256m -javaagent:/weft/weft-agent.jar");
        // Whom the agent is to trust with the control plane's name.
        assertThat(pod.at("/metadata/annotations").path("weft.io/trust-bundle").asText()).isEqualTo(cluster.caBundles().get(0));
    }

    @Test
    void theOptionsOfAConfigMapAreReferredTo() throws IOException {
        cluster.operator().resource(new ConfigMapBuilder()
                .withNewMetadata().withName("jvm").withNamespace("shop").endMetadata()
                .withData(Map.of("JAVA_TOOL_OPTIONS", "-Xmx64m")).build()).create();
        byte[] review = new String(Pods.review(), StandardCharsets.UTF_8)
                .replace("\"env\": [{\"name\": \"JAVA_TOOL_OPTIONS\", \"value\": \"-Xmx256m\"},", "\"envFrom\": [{\"configMapRef\": {\"name\": \"jvm\"}}], \"env\": [")
                .getBytes(StandardCharsets.UTF_8);
        JsonNode pod = Pods.admitted(review, inject(review).body().getBytes(StandardCharsets.UTF_8));
        assertThat(pod.at("/spec/containers/0/env/1/valueFrom/configMapKeyRef")).isEqualTo(Pods.pod("{name: jvm, key: JAVA_TOOL_OPTIONS}"));
        assertThat(pod.at("/spec/containers/0/env/2/value").asText()).isEqualTo("$(APP_JAVA_TOOL_OPTIONS) -javaagent:/weft/weft-agent.jar");
        // Whoever has asked need not be allowed to read it.
        assertThat(pod.toString()).doesNotContain("-Xmx64m");
    }

    @Test
    void garbageIsRefusedWithTheReason() throws IOException {
        Answer refused = inject("{}".getBytes(StandardCharsets.UTF_8));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.body().strip()).isEqualTo("apiVersion must be 'admission.k8s.io/v1', not missing");
        assertThat(send("POST", "/inject", "text/plain", Pods.review()).status()).isEqualTo(415);
        assertThat(send("GET", "/inject", "application/json", new byte[0]).status()).isEqualTo(405);
        assertThat(send("GET", "/", "text/plain", new byte[0]).status()).isEqualTo(404);
    }

    @Test
    void noBodyIsTakenThatIsLongerThanAnObjectMayBe() throws IOException {
        try (SSLSocket socket = connect(trust)) {
            socket.getOutputStream().write(("POST /inject HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                    + (WebhookServer.MAX_BODY + 1) + "\r\nExpect: 100-continue\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            byte[] begin = socket.getInputStream().readNBytes(12);
            assertThat(new String(begin, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 413");
        }
    }

    /** The first line of the answer to a request of which no more than its head comes. */
    private static String answerToHead(SSLSocket socket, String line, String... headers) throws IOException {
        begin(socket, line, headers);
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)).readLine();
    }

    private static void begin(SSLSocket socket, String line, String... headers) throws IOException {
        String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
        socket.getOutputStream().write((line + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n").getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    @Test
    void whatIsNotForUsIsRefusedBeforeItsBodyIsThere() throws IOException {
        String length = "Content-Length: " + WebhookServer.MAX_BODY;
        try (SSLSocket elsewhere = connect(trust); SSLSocket put = connect(trust); SSLSocket text = connect(trust);
                SSLSocket chunked = connect(trust)) {
            assertThat(answerToHead(elsewhere, "POST /elsewhere", length)).startsWith("HTTP/1.1 404");
            assertThat(answerToHead(put, "PUT /inject", length)).startsWith("HTTP/1.1 405");
            assertThat(answerToHead(text, "POST /inject", length, "Content-Type: text/plain")).startsWith("HTTP/1.1 415");
            assertThat(answerToHead(chunked, "POST /inject", "Transfer-Encoding: chunked", "Content-Type: application/json"))
                    .startsWith("HTTP/1.1 411");
        }
    }

    @Test
    void noMoreBodiesAreTakenFromOneClientThanFitIntoMemory() throws IOException {
        try (SSLSocket large = connect(trust)) {
            begin(large, "POST /inject", "Content-Type: application/json", "Content-Length: " + WebhookServer.MAX_BODY);
            // From when the head has come, and after some patience.
            await().atMost(PATIENCE).until(() -> inject(Pods.review()).status() == 503);
            assertThat(send("GET", "/healthz", "text/plain", new byte[0]).status()).isEqualTo(200);
        }
        await().atMost(PATIENCE).until(() -> inject(Pods.review()).status() == 200);
    }

    /** An API server creates 200 objects at once; here each is long, so that together they are three times what one address may have. */
    @Test
    void whatAnApiServerSendsAtOnceIsAllAnswered() throws IOException {
        int atOnce = 200;
        byte[] review = new String(Pods.review(), StandardCharsets.UTF_8)
                .replaceFirst("\"metadata\": \\{", "\"metadata\": {\"annotations\": {\"long\": \"" + "x".repeat(60 << 10) + "\"}, ")
                .getBytes(StandardCharsets.UTF_8);
        assertThat((long) atOnce * review.length).isGreaterThan(2L * WebhookServer.MAX_BODY);
        List<SSLSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < atOnce; i++) {
                sockets.add(connect(trust));
            }
            for (SSLSocket socket : sockets) {
                begin(socket, "POST /inject", "Content-Type: application/json", "Content-Length: " + review.length);
            }
            for (SSLSocket socket : sockets) {
                socket.getOutputStream().write(review);
                socket.getOutputStream().flush();
            }
            for (SSLSocket socket : sockets) {
                assertThat(new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)).readLine())
                        .isEqualTo("HTTP/1.1 200 OK");
            }
        } finally {
            for (SSLSocket each : sockets) {
                each.close();
            }
        }
    }

    @Test
    void whatHasBeenAnsweredTakesNoRoom() throws IOException {
        byte[] garbage = new byte[WebhookServer.MAX_BODY];
        for (int i = 0; i < 3; i++) {
            await().atMost(PATIENCE).until(() -> inject(garbage).status() == 400);
        }
    }

    @Test
    void connectionsOfOneClientAreLimited() throws IOException {
        List<SSLSocket> idle = new ArrayList<>();
        try {
            for (int i = 0; i < WebhookServer.MAX_CONNECTIONS_OF_ONE; i++) {
                idle.add(connect(trust));
            }
            assertThatThrownBy(() -> connect(trust)).isInstanceOf(IOException.class);
        } finally {
            for (SSLSocket each : idle) {
                each.close();
            }
        }
        await().atMost(PATIENCE).ignoreException(IOException.class).until(() -> inject(Pods.review()).status() == 200);
    }

    @Test
    void severalRequestsComeOverOneConnectionOneAfterTheOther() throws IOException {
        try (SSLSocket socket = connect(trust)) {
            BufferedReader answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            for (int i = 0; i < 3; i++) {
                begin(socket, "GET /healthz");
                assertThat(answers.readLine()).isEqualTo("HTTP/1.1 200 OK");
                String line = answers.readLine();
                while (!line.equals("ok")) {
                    line = answers.readLine();
                }
            }
        }
    }

    @Test
    void theKubeletIsAnswered() throws IOException {
        assertThat(send("GET", "/healthz", "text/plain", new byte[0]).status()).isEqualTo(200);
        assertThat(send("GET", "/readyz", "text/plain", new byte[0]).status()).isEqualTo(200);
    }

    @Test
    void whoeverDoesNotTrustTheCertificateGetsNothing() throws Exception {
        SSLContext strangers = trusting(List.of());
        assertThatThrownBy(() -> connect(strangers)).isInstanceOf(IOException.class);
        // And harms nobody.
        assertThat(inject(Pods.review()).status()).isEqualTo(200);
    }
}
