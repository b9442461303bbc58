package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.spiffe.workloadapi.grpc.Workload.X509SVIDResponse;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An app that is who the SPIFFE Workload API says, over a Unix socket. */
class WorkloadApiIT {
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final String ORDERS = "spiffe://mesh/orders";

    private static final Authority MESH = new Authority("mesh");
    private static final Authority PARTNER = new Authority("partner");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void itsCertificateAndWhomItTrustsComeByTheWorkloadApi(Jdk jdk) throws Exception {
        // Not below the test's own folder: the path of a Unix socket must be short.
        Path folder = Files.createTempDirectory("spiffe");
        Path socket = folder.resolve("api.sock");
        Certified first = MESH.certify(ORDERS);
        try (WorkloadEndpoint endpoint = new WorkloadEndpoint(socket, svid(first))) {
            PolicyServer policies = testbed.policyServer();
            Policy others = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));
            policies.serve(others);
            JvmCommand jvm = testbed.jvm("orders", jdk).mesh(policies.uri(), "orders").environment("SPIFFE_ENDPOINT_SOCKET", "unix://" + socket);
            JvmProcess app = Server.JDK_HTTP_SERVER.start(jvm, "v1");
            int port = app.awaitPort();
            policies.serve(others.listener(Inbounds.provided(port).strict()));

            SSLContext member = MESH.certify("spiffe://mesh/shop").trusting(MESH);
            await().ignoreExceptions().until(() -> isServed(member, port));
            assertThat(shown(member, port)).isEqualTo(first.certificate());
            assertThat(policies.refusals()).isEmpty();

            // Each trust domain is vouched for by its own authority only.
            assertThat(isServed(PARTNER.certify("spiffe://partner/shop").trusting(MESH), port)).isTrue();
            SSLContext pretender = PARTNER.certify("spiffe://mesh/shop").trusting(MESH);
            assertThatThrownBy(() -> TlsClient.ask(pretender, port, REQUEST)).isInstanceOf(IOException.class);

            Certified second = MESH.certify(ORDERS);
            endpoint.push(svid(second));
            await().until(() -> shown(member, port).equals(second.certificate()));
        } finally {
            Files.deleteIfExists(socket);
            Files.delete(folder);
        }
    }

    private static X509SVIDResponse svid(Certified own) {
        return WorkloadEndpoint.svid(ORDERS, own, MESH, "spiffe://partner", PARTNER);
    }

    private static boolean isServed(SSLContext caller, int port) throws IOException {
        return new String(TlsClient.ask(caller, port, REQUEST), StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200");
    }

    private static Certificate shown(SSLContext caller, int port) throws IOException {
        try (TlsClient client = new TlsClient(caller, port)) {
            client.socket().startHandshake();
            return client.socket().getSession().getPeerCertificates()[0];
        }
    }
}
