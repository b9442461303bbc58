package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.log.AgentLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkloadTest {
    private static final String CLAIMS = """
            {"aud": ["istio-ca"], "kubernetes.io": {"namespace": "shop", "node": {"name": "n1"}, "pod": {"name": "orders-7d4", "uid": "1"},
             "serviceaccount": {"name": "orders-sa", "uid": "2"}}, "sub": "system:serviceaccount:shop:orders-sa"}""";

    @TempDir
    private Path folder;

    private Workload workload(Map<String, String> environment, String claims) throws IOException {
        return Workload.of(environment, Map.of(), Optional.of(Files.writeString(folder.resolve("token"), token(claims))), AgentLog.toStderr(AgentLog.Level.OFF));
    }

    private static String token(String claims) {
        return "e30." + Base64.getUrlEncoder().withoutPadding().encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".c2ln\n";
    }

    @Test
    void whatTheTokenSaysOfThePod() throws IOException {
        Workload workload = workload(Map.of("HOSTNAME", "other"), CLAIMS);
        assertThat(workload.pod()).contains("orders-7d4");
        assertThat(workload.namespace()).contains("shop");
        assertThat(workload.serviceAccount()).contains("orders-sa");
    }

    @Test
    void withoutThePodItsSubjectIsThere() throws IOException {
        Workload workload = workload(Map.of("HOSTNAME", "orders-1"), "{\"sub\": \"system:serviceaccount:shop:orders-sa\"}");
        assertThat(workload.pod()).contains("orders-1");
        assertThat(workload.namespace()).contains("shop");
        assertThat(workload.serviceAccount()).contains("orders-sa");
    }

    @Test
    void whatTheOperatorSaysGoesFirst() throws IOException {
        Workload workload = workload(
                Map.of("POD_NAME", "p", "POD_NAMESPACE", "n", "SERVICE_ACCOUNT", "s", "ISTIO_META_CLUSTER_ID", "east", "PATH", "/"), CLAIMS);
        assertThat(workload.pod()).contains("p");
        assertThat(workload.namespace()).contains("n");
        assertThat(workload.serviceAccount()).contains("s");
        assertThat(workload.metadata()).isEqualTo(Map.of("CLUSTER_ID", "east"));
    }

    @Test
    void howIstiodMakesWhatItSendsIsNotLeftToTheOperator() throws IOException {
        assertThat(workload(Map.of("ISTIO_META_GENERATOR", "grpc", "ISTIO_META_CLUSTER_ID", "east"), CLAIMS).metadata())
                .isEqualTo(Map.of("CLUSTER_ID", "east"));
    }

    @Test
    void whatTheContainerBesideTheAppWroteForGrpc() throws IOException {
        Map<String, Object> told = Map.of(
                "NAME", "orders-1", "NAMESPACE", "shop", "SERVICE_ACCOUNT", "orders-sa", "LABELS", Map.of("app", "orders"), "INSTANCE_IPS", "10.1.2.3",
                "GENERATOR", "grpc", "DNS_CAPTURE", "false", "ISTIO_VERSION", "1.30.0", "CLUSTER_ID", "west");
        Workload workload = Workload.of(Map.of("HOSTNAME", "other", "ISTIO_META_CLUSTER_ID", "east"), told, Optional.empty(),
                AgentLog.toStderr(AgentLog.Level.OFF));
        assertThat(workload.pod()).contains("orders-1");
        assertThat(workload.namespace()).contains("shop");
        assertThat(workload.serviceAccount()).contains("orders-sa");
        assertThat(workload.labels()).isEqualTo(Map.of("app", "orders"));
        assertThat(workload.metadata()).as("the variables go first, and what the agent does it says itself")
                .containsEntry("CLUSTER_ID", "east").containsEntry("INSTANCE_IPS", "10.1.2.3")
                .doesNotContainKeys("GENERATOR", "DNS_CAPTURE", "ISTIO_VERSION");
    }

    @Test
    void whatTheProxyIsConfiguredWith() throws IOException {
        assertThat(workload(Map.of("PROXY_CONFIG", """
                {"tracing": {"sampling": 10, "custom": [1, "a", true, null]}, "binaryPath": null}"""), CLAIMS).metadata())
                .isEqualTo(Map.of("PROXY_CONFIG", Map.of("tracing", Map.of("sampling", 10.0, "custom", List.of(1.0, "a", true)))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tracing: {}", "[]", "{", "{} {}", " "})
    void aProxyConfigurationThatIsNoJsonIsNotHandedOn(String text) throws IOException {
        assertThat(workload(Map.of("PROXY_CONFIG", text), CLAIMS).metadata()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a.b", "a.!.c", "a.bm90IGpzb24.c"})
    void tokenOfAnotherFormSaysNothing(String token) {
        assertThat(Workload.claims(token)).isEmpty();
    }

    @Test
    void labelsOfTheDownwardApi() {
        assertThat(Workload.labels("app=\"orders\"\npod-template-hash=\"7d4\"\nempty=\"\"\nbroken\n"))
                .isEqualTo(Map.of("app", "orders", "pod-template-hash", "7d4", "empty", ""));
    }
}
