package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.NonDeletingOperation;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Build;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * An unmodified kuma-cp in Kubernetes mode, with the rights, webhooks and settings of its own chart: the system properties
 * {@code weft.it.kuma-cp} and {@code weft.it.kuma-chart} name the program and the folder. It takes the ports that it has by default.
 * Skipped where there is none, and where there is no API server: {@link StartedCluster}.
 */
class KumaOnKubernetesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String NAMESPACE = "kuma-system";
    private static final Set<String> NEEDS_A_NODE = Set.of("Deployment", "Job", "PodDisruptionBudget", "Namespace");
    private static final String ORDERS = "http://orders/orders/1";
    private static final Authority AUTHORITY = new Authority("kuma");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private Path folder;
    private KubernetesClient client;
    private ProcessBuilder program;

    @RegisterExtension
    final AfterTestExecutionCallback logOfAFailure = context -> {
        if (context.getExecutionException().isPresent() && folder != null && Files.exists(folder.resolve("kuma-cp.log"))) {
            List<String> lines = Files.readAllLines(folder.resolve("kuma-cp.log"));
            lines.subList(Math.max(0, lines.size() - 80), lines.size()).forEach(System.err::println);
        }
    };

    private static Path named(String property) {
        String name = System.getProperty(property, "");
        assumeTrue(!name.isEmpty() && Files.exists(Path.of(name)), "no kuma-cp: name the program by -Dweft.it.kuma-cp, and its chart by -Dweft.it.kuma-chart");
        return Path.of(name);
    }

    @Test
    void podsJoinByTheTokensOfTheirServiceAccountsAndObey() throws Exception {
        Path binary = named("weft.it.kuma-cp");
        Path chart = named("weft.it.kuma-chart");
        StartedCluster machine = StartedCluster.start(testbed);
        client = machine.client();
        folder = testbed.temporaryFolder();
        install(chart, binary);
        Process kuma = start();

        await("kuma-cp has made the mesh").atMost(PATIENCE).ignoreExceptionsInstanceOf(KubernetesClientException.class)
                .until(() -> client.genericKubernetesResources("kuma.io/v1alpha1", "Mesh").withName("default").get() != null);
        for (String name : List.of("orders", "orders-v1", "orders-v2")) {
            applied(service(name, name.equals("orders") ? "app: orders" : "app: orders, version: " + name.substring("orders-".length())));
        }
        int port = 0;
        for (String version : List.of("v1", "v2")) {
            port = Port.unused();
            member("orders-" + version, "orders", "app: orders, version: " + version, port)
                    .option("-Dserver.port=" + port).option("-Dorders.version=" + version).jar(Build.app("orders-v2"));
        }
        JvmProcess caller = member("caller", "storefront", "app: storefront", 9).driver(JavaNetHttp.class);

        // As kuma-cp makes a mesh, and with MeshServices.
        found(caller, "orders.shop.svc.80.mesh");
        List<String> names = List.of("orders", "orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local");
        names.forEach(name -> found(caller, name));
        applied(mesh(""));
        names.forEach(name -> found(caller, name));
        apply(route("orders-v1"));
        obeyed(caller, "v1");
        apply(route("orders-v2"));
        obeyed(caller, "v2");
        URI server = URI.create("http://" + RealApi.addressOfThisMachine() + ":" + port + "/orders/1");
        assertThat(answerInPlaintext(server)).isEqualTo(200);

        JvmProcess stranger = member("stranger", "stranger", "app: stranger", 9).driver(JavaNetHttp.class);
        answered(stranger, 200);
        apply(mesh("mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}"));
        answered(caller, 403);
        apply(PERMISSION_BY_TAG);
        answered(caller, 200);
        answered(stranger, 403);
        assertThatExceptionOfType(IOException.class).as("what is no mesh TLS is refused").isThrownBy(() -> answerInPlaintext(server));
        client.load(stream(PERMISSION_BY_TAG)).delete();
        answered(caller, 403);

        apply(IDENTITY);
        apply(mesh(""));
        answered(caller, 403);
        apply(PERMISSION);
        answered(caller, 200);
        answered(stranger, 403);
        assertThatExceptionOfType(IOException.class).as("what is no mesh TLS is refused").isThrownBy(() -> answerInPlaintext(server));

        // What is in force stays while kuma-cp is away, and the pods come back by the names that they had.
        kuma.destroyForcibly().waitFor();
        for (int i = 0; i < 100; i++) {
            assertThat(caller.get(ORDERS).body()).contains("v2");
        }
        start();
        applied(route("orders-v1"));
        obeyed(caller, "v1");
        assertThat(all("Dataplane")).extracting(dataplane -> dataplane.getMetadata().getName())
                .containsExactlyInAnyOrder("orders-v1", "orders-v2", "caller", "stranger");
        await("kuma-cp has heard from all").atMost(PATIENCE).untilAsserted(() -> assertThat(all("DataplaneInsight")).hasSize(4)
                .allSatisfy(insight -> assertThat(Serialization.asJson(insight)).contains("responsesAcknowledged").doesNotContain("responsesRejected")));
    }

    private List<GenericKubernetesResource> all(String kind) {
        return client.genericKubernetesResources("kuma.io/v1alpha1", kind).inNamespace("shop").list().getItems();
    }

    private static void found(JvmProcess caller, String host) {
        await(host + " is found").atMost(PATIENCE).ignoreExceptionsInstanceOf(AssertionError.class)
                .untilAsserted(() -> assertThat(caller.get("http://" + host + "/orders/1").status()).isEqualTo(200));
    }

    private static void answered(JvmProcess caller, int status) {
        await(status + " alone").atMost(PATIENCE).untilAsserted(() -> assertThat(caller.load(ORDERS, Map.of(), 20, 1).status(status)).isEqualTo(20));
    }

    private static void obeyed(JvmProcess caller, String version) {
        await(version + " alone").atMost(PATIENCE).untilAsserted(() -> {
            for (int i = 0; i < 20; i++) {
                assertThat(caller.get(ORDERS).body()).contains("\"" + version + "\"");
            }
        });
    }

    private void install(Path chart, Path binary) throws IOException, InterruptedException {
        apply("""
                apiVersion: v1
                kind: Namespace
                metadata: {name: kuma-system, labels: {kuma.io/sidecar-injection: "false"}}
                ---
                apiVersion: v1
                kind: Namespace
                metadata: {name: shop, labels: {kuma.io/sidecar-injection: enabled}}
                """);
        byte[] rendered = Chart.helm(NAMESPACE, List.of("template", "kuma", chart.toString(), "--include-crds", "--set", "controlPlane.zone=east"));
        List<HasMetadata> objects = client.load(new ByteArrayInputStream(rendered)).items();
        objects.stream().filter(object -> !NEEDS_A_NODE.contains(object.getKind())).forEach(object -> client.resource(object)
                .createOr(NonDeletingOperation::update));
        apply("""
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: kuma-control-plane-it, namespace: kuma-system, labels: {kubernetes.io/service-name: kuma-control-plane}}
                addressType: IPv4
                ports: [{name: https-admission-server, port: 5443, protocol: TCP}]
                endpoints: [{addresses: [%s], conditions: {ready: true}}]
                """.formatted(RealApi.addressOfThisMachine()));
        Path admission = Files.createDirectories(folder.resolve("admission"));
        objects.stream().filter(object -> object.getMetadata().getName().equals("kuma-tls-cert")).map(Secret.class::cast)
                .forEach(secret -> secret.getData().forEach((file, data) -> write(admission.resolve(file), Base64.getDecoder().decode(data))));
        Certified certified = AUTHORITY.certify(Duration.ofHours(-1), Authority.dns("localhost"));
        Path certificate = Files.writeString(folder.resolve("kuma.crt"), certified.certificatePem());
        Path key = Files.writeString(folder.resolve("kuma.key"), certified.keyPem());
        Files.writeString(folder.resolve("ca.pem"), Certified.pem(AUTHORITY.certificate()));

        program = new ProcessBuilder(binary.toString(), "run", "--log-level=info");
        objects.stream().filter(object -> object.getMetadata().getName().equals("kuma-control-plane")).filter(Deployment.class::isInstance)
                .map(Deployment.class::cast)
                .flatMap(deployment -> deployment.getSpec().getTemplate().getSpec().getContainers().get(0).getEnv().stream())
                .filter(variable -> variable.getValueFrom() == null)
                .forEach((EnvVar variable) -> program.environment().put(variable.getName(), variable.getValue() == null ? "" : variable.getValue()));
        String token = client.serviceAccounts().inNamespace(NAMESPACE).withName("kuma-control-plane")
                .tokenRequest(new TokenRequestBuilder().withNewSpec().withExpirationSeconds(3600L).endSpec().build()).getStatus().getToken();
        int apiServer = URI.create(client.getMasterUrl().toString()).getPort();
        Path kubeconfig = Files.writeString(folder.resolve("kuma.kubeconfig"), RealApi.kubeconfig(client, apiServer, token, NAMESPACE));
        program.environment().putAll(Map.of(
                "KUBECONFIG", kubeconfig.toString(),
                "KUBERNETES_SERVICE_HOST", "127.0.0.1",
                "KUBERNETES_SERVICE_PORT", Integer.toString(apiServer),
                "KUMA_GENERAL_TLS_CERT_FILE", certificate.toString(),
                "KUMA_GENERAL_TLS_KEY_FILE", key.toString(),
                "KUMA_RUNTIME_KUBERNETES_ADMISSION_SERVER_CERT_DIR", admission.toString(),
                "KUMA_RUNTIME_KUBERNETES_INJECTOR_CA_CERT_FILE", admission.resolve("ca.crt").toString(),
                "KUMA_INTER_CP_CATALOG_INSTANCE_ADDRESS", RealApi.addressOfThisMachine(),
                "KUMA_GENERAL_WORK_DIR", folder.resolve("kuma-work").toString()));
        program.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("kuma-cp.log").toFile()));
    }

    private static void write(Path file, byte[] content) {
        try {
            Files.write(file, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Process start() throws IOException {
        Process kuma = program.start();
        Runtime.getRuntime().addShutdownHook(new Thread(kuma::destroyForcibly, "kill kuma-cp"));
        testbed.closeAfterwards(() -> kuma.destroyForcibly().waitFor());
        await("kuma-cp listens").atMost(PATIENCE).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
            assertThat(kuma.isAlive()).as("kuma-cp runs").isTrue();
            new Socket("127.0.0.1", 5678).close();
            return true;
        });
        return kuma;
    }

    /** Its webhooks may not answer yet. */
    private void applied(String yaml) {
        await("kuma-cp takes what is written").atMost(PATIENCE).ignoreExceptionsInstanceOf(KubernetesClientException.class).until(() -> {
            apply(yaml);
            return true;
        });
    }

    private static InputStream stream(String yaml) {
        return new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8));
    }

    /** As by whoever is not in the mesh. */
    private static int answerInPlaintext(URI address) throws IOException {
        return ((HttpURLConnection) address.toURL().openConnection()).getResponseCode();
    }

    private void apply(String yaml) {
        client.load(stream(yaml)).items()
                .forEach(object -> client.resource(object).createOr(NonDeletingOperation::update));
    }

    /** A pod as an operator has it who brings the agent: kuma-cp is told that it has its proxy already. */
    private JvmCommand member(String name, String service, String labels, int port) throws IOException {
        apply("""
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: %s, namespace: shop}
                """.formatted(service));
        String address = RealApi.addressOfThisMachine();
        Pod pod = (Pod) client.resource("""
                apiVersion: v1
                kind: Pod
                metadata:
                  name: %s
                  namespace: shop
                  labels: {%s, kuma.io/sidecar-injection: disabled}
                  annotations: {kuma.io/sidecar-injected: "true", kuma.io/mesh: default}
                spec:
                  serviceAccountName: %s
                  schedulerName: this-test
                  containers: [{name: app, image: example.com/app, ports: [{name: http, containerPort: %d}]}]
                """.formatted(name, labels, service, port)).create();
        client.resource(pod).editStatus(each -> new PodBuilder(each)
                .withStatus(new PodStatusBuilder(each.getStatus()).withPodIP(address).addNewPodIP(address).build()).build());
        String token = client.serviceAccounts().inNamespace("shop").withName(service).tokenRequest(new TokenRequestBuilder()
                .withNewSpec()
                .withExpirationSeconds(3600L)
                .withNewBoundObjectRef().withApiVersion("v1").withKind("Pod").withName(name).withUid(pod.getMetadata().getUid()).endBoundObjectRef()
                .endSpec()
                .build()).getStatus().getToken();
        return testbed.jvm(name, Jdks.newest()).mesh(URI.create("grpcs://localhost:5678"), service)
                .environment("WEFT_CONTROL_PLANE_KIND", "kuma")
                .environment("WEFT_CONTROL_PLANE_CA_FILE", folder.resolve("ca.pem").toString())
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", Files.writeString(folder.resolve(name + ".token"), token).toString())
                .environment("WEFT_ADDRESS", address);
    }

    private static String mesh(String more) {
        return """
                apiVersion: kuma.io/v1alpha1
                kind: Mesh
                metadata: {name: default}
                spec:
                  meshServices: {mode: Exclusive}
                  %s
                """.formatted(more);
    }

    private static final String PERMISSION_BY_TAG = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTrafficPermission
            metadata: {name: orders-by-tag, namespace: kuma-system, labels: {kuma.io/mesh: default}}
            spec:
              targetRef: {kind: Dataplane, labels: {app: orders}}
              from:
              - targetRef: {kind: MeshSubset, tags: {app: storefront}}
                default: {action: Allow}
            """;

    private static final String IDENTITY = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshIdentity
            metadata: {name: identity, namespace: kuma-system, labels: {kuma.io/mesh: default}}
            spec:
              selector: {dataplane: {matchLabels: {}}}
              spiffeID: {trustDomain: shop.example, path: "/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}"}
              provider:
                type: Bundled
                bundled: {meshTrustCreation: Enabled, insecureAllowSelfSigned: true, autogenerate: {enabled: true}}
            """;

    private static final String PERMISSION = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTrafficPermission
            metadata: {name: orders, namespace: kuma-system, labels: {kuma.io/mesh: default}}
            spec:
              targetRef: {kind: Dataplane, labels: {app: orders}}
              rules:
              - default: {allow: [{spiffeID: {type: Exact, value: "spiffe://shop.example/ns/shop/sa/storefront"}}]}
            """;

    private static String service(String name, String selector) {
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: shop, labels: {kuma.io/mesh: default}}
                spec:
                  selector: {%s}
                  ports: [{name: http, port: 80, targetPort: http, appProtocol: http}]
                """.formatted(name, selector);
    }

    private static String route(String to) {
        return """
                apiVersion: kuma.io/v1alpha1
                kind: MeshHTTPRoute
                metadata: {name: orders, namespace: shop, labels: {kuma.io/mesh: default}}
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default: {backendRefs: [{kind: MeshService, name: %s, port: 80, weight: 1}]}
                """.formatted(to);
    }
}
