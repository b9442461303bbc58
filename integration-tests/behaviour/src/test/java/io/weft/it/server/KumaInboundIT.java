package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.weft.driver.JdkHttpServer;
import io.weft.it.harness.Authority;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.KumaConfiguration;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server under the real jar does what a real kuma-cp asked of the data plane {@code test-server}, with its certificates by SDS. */
class KumaInboundIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String INBOUND = "inbound:IP_REDACTED:80";
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: test-server\r\nConnection: close\r\n\r\n";
    private static final Authority MESH = new Authority("mesh");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();
    private int port;

    private static SSLContext client(String name) {
        return MESH.certify(name).trusting(MESH);
    }

    @EveryJdk
    void whatThePoliciesAskForIsDone(Jdk jdk) throws Exception {
        policies.serve(Policy.empty());
        JvmProcess server = testbed.jvm("test-server", jdk).mesh(policies.uri(), "test-server").driver(JdkHttpServer.class, "test-server");
        port = server.awaitPort();

        takesOnlyItsMesh();
        limits();
        permits();
        injectsFaults();
        takesPlaintextToo();
        assertThat(policies.refusals()).isEmpty();
    }

    private void takesOnlyItsMesh() {
        SSLContext client = client("spiffe://envoyconfig/demo-client");
        serve(of("no-policies"), () -> isGood(client));
        assertThat(overPlaintext()).doesNotContain("test-server");
        SSLContext stranger = client("spiffe://other/demo-client");
        assertThat(isGood(stranger)).isFalse();
    }

    private void limits() {
        SSLContext client = client("spiffe://envoyconfig/demo-client");
        // Five in ten seconds, as soon as it is in force.
        serve(of("meshratelimit-inbound-rules"), () -> ask(client).startsWith("HTTP/1.1 423")
                && ask(client).toLowerCase(Locale.ROOT).contains("\r\nx-kuma-rate-limited: true\r\n"));
    }

    private void permits() throws Exception {
        SSLContext denied = client("spiffe://trust-domain.mesh/ns/legacy");
        SSLContext nobodys = client("spiffe://envoyconfig/demo-client");
        serve(takingEveryName(of("meshtrafficpermission-inbound-rules")), () -> ask(denied).startsWith("HTTP/1.1 403"));
        assertThat(ask(nobodys)).startsWith("HTTP/1.1 403");
        assertThat(ask(client("spiffe://trust-domain.mesh/ns/other"))).startsWith("HTTP/1.1 200");
        // Its shadow rule denies.
        assertThat(ask(client("spiffe://trust-domain.mesh/ns/new"))).startsWith("HTTP/1.1 200");
    }

    private void injectsFaults() throws Exception {
        SSLContext matched = client("spiffe://default.default.mesh.local/workload/demo-client");
        SSLContext other = client("spiffe://envoyconfig/demo-client");
        // About one of eight.
        serve(takingEveryName(of("meshfaultinjection-inbound-rules")), () -> ask(matched).startsWith("HTTP/1.1 500"));
        for (int i = 0; i < 20; i++) {
            assertThat(ask(other)).startsWith("HTTP/1.1 200");
        }
    }

    private void takesPlaintextToo() {
        serve(of("meshtls-inbound-permissive-rules"), () -> overPlaintext().startsWith("HTTP/1.1 200"));
        assertThat(isGood(client("spiffe://envoyconfig/demo-client"))).isTrue();
    }

    /** Serves a configuration, and returns when it is in force. */
    private void serve(Policy policy, Callable<Boolean> inForce) {
        policies.serve(policy);
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(1)).ignoreExceptions().until(inForce);
    }

    private boolean isGood(SSLContext client) {
        try {
            return ask(client).startsWith("HTTP/1.1 200");
        } catch (IOException refused) {
            return false;
        }
    }

    private String ask(SSLContext client) throws IOException {
        return new String(TlsClient.ask(client, port, REQUEST), StandardCharsets.ISO_8859_1);
    }

    private String overPlaintext() {
        try {
            return new String(RawClient.ask(port, REQUEST), StandardCharsets.ISO_8859_1);
        } catch (UncheckedIOException refused) {
            return "";
        }
    }

    private Policy of(String name) {
        Policy policy = new KumaConfiguration(name, "test-server").policy(MESH, MESH.certify("spiffe://envoyconfig/test-server"));
        Listener.Builder listener = policy.listeners().get(INBOUND).toBuilder();
        listener.getAddressBuilder().getSocketAddressBuilder().setPortValue(port);
        return policy.listener(listener.build());
    }

    /** Kuma lets in one trust domain; these policies are about clients of others. */
    private static Policy takingEveryName(Policy policy) throws InvalidProtocolBufferException {
        Listener.Builder listener = policy.listeners().get(INBOUND).toBuilder();
        for (FilterChain.Builder chain : listener.getFilterChainsBuilderList()) {
            Any.Builder config = chain.getTransportSocketBuilder().getTypedConfigBuilder();
            DownstreamTlsContext.Builder context = config.build().unpack(DownstreamTlsContext.class).toBuilder();
            context.getCommonTlsContextBuilder().getCombinedValidationContextBuilder()
                    .setDefaultValidationContext(CertificateValidationContext.getDefaultInstance());
            config.setValue(context.build().toByteString());
        }
        return policy.listener(listener.build());
    }
}
