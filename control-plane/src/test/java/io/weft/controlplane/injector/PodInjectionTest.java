package io.weft.controlplane.injector;

import static io.weft.controlplane.injector.Pods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.weft.controlplane.injector.PodInjection.Outcome;
import java.io.IOException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PodInjectionTest {

    private static final String AGENT = "-javaagent:/weft/weft-agent.jar";
    private static final String ROOTS = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    private final Map<String, Set<String>> configMaps = new HashMap<>();

    private boolean required;

    private Outcome inject(ObjectNode pod, AgentDelivery delivery) {
        return inject(pod, Optional.of(delivery), AgentDelivery.INIT_CONTAINER);
    }

    /** @param possible what the cluster can */
    private Outcome inject(ObjectNode pod, Optional<AgentDelivery> delivery, AgentDelivery possible) {
        PodSettings settings = new PodSettings(
                new AgentImage("weft-agent:1", Optional.of("IfNotPresent")), delivery, URI.create("grpcs://weft-control-plane.weft-system.svc:5678"),
                "default", PodSettings.Trust.OURS, required);
        return new PodInjection(settings, () -> possible, () -> Optional.of(ROOTS), this::keys).inject(pod, "shop");
    }

    private Optional<Set<String>> keys(String namespace, String name) throws IOException {
        assertThat(namespace).isEqualTo("shop");
        if (name.equals("forbidden")) {
            throw new IOException("cannot read config map shop/forbidden: not allowed");
        }
        return Optional.ofNullable(configMaps.get(name));
    }

    /** A pod that is injected without a warning. */
    private JsonNode injected(String yaml) {
        ObjectNode pod = pod(yaml);
        Outcome outcome = inject(pod, AgentDelivery.INIT_CONTAINER);
        assertThat(outcome.warnings()).isEmpty();
        assertThat(outcome.operations()).as("operations").isNotEmpty();
        return Pods.patched(pod, outcome.operations());
    }

    /** The only warning for a pod that is left alone. */
    private String leftAlone(String yaml) {
        Outcome outcome = inject(pod(yaml), AgentDelivery.INIT_CONTAINER);
        assertThat(outcome.operations()).isEmpty();
        assertThat(outcome.warnings()).hasSize(1);
        return outcome.warnings().get(0);
    }

    private static Map<String, String> values(JsonNode container) {
        Map<String, String> values = new HashMap<>();
        container.path("env").forEach(variable -> values.put(variable.path("name").asText(),
                variable.has("valueFrom") ? variable.path("valueFrom").toString() : variable.path("value").asText()));
        return values;
    }

    private static String options(JsonNode pod) {
        return values(pod.at("/spec/containers/0")).get("JAVA_TOOL_OPTIONS");
    }

    private static List<String> names(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(each -> each.path("name").asText()).toList();
    }

    private static JsonNode named(JsonNode list, String name) {
        return StreamSupport.stream(list.spliterator(), false).filter(each -> each.path("name").asText().equals(name)).findFirst().orElseThrow();
    }

    private static String withEnv(String env) {
        return """
                metadata: {name: a, labels: {app: orders}}
                spec: {containers: [{name: app, image: orders, %s}]}
                """.formatted(env);
    }

    /** Empty: the agent's default, which is false. */
    @ParameterizedTest
    @CsvSource({"false,,", "true,,true", "false,'\"true\"',true", "true,'\"false\"',", "false,'\"yes\"',true", "true,nonsense,true"})
    void whetherAPodFailsClosedSaysTheChartAndThenThePod(boolean chart, String annotation, String expected) {
        required = chart;
        JsonNode pod = injected("""
                metadata: {name: a, labels: {app: orders}, annotations: {other: x%s}}
                spec: {containers: [{name: app, image: orders}, {name: second, image: orders}]}
                """.formatted(annotation == null ? "" : ", weft.io/required: " + annotation));
        for (JsonNode container : pod.at("/spec/containers")) {
            assertThat(values(container).get("WEFT_REQUIRED")).isEqualTo(expected);
        }
    }

    @Test
    void whetherItFailsClosedAContainerMaySayItself() {
        required = true;
        JsonNode pod = injected(withEnv("env: [{name: WEFT_REQUIRED, value: \"false\"}]"));
        assertThat(values(pod.at("/spec/containers/0"))).containsEntry("WEFT_REQUIRED", "false");
    }

    @Test
    void thePodOfADeploymentGetsAgentIdentityAndSettings() {
        ObjectNode pod = (ObjectNode) Pods.json(Pods.review()).at("/request/object");
        Outcome outcome = inject(pod, AgentDelivery.INIT_CONTAINER);
        assertThat(outcome.warnings()).isEmpty();
        JsonNode injected = Pods.patched(pod, outcome.operations());

        assertThat(names(injected.at("/spec/initContainers"))).containsExactly("weft-agent");
        assertThat(injected.at("/spec/initContainers/0/command").toString()).isEqualTo("[\"/cp\",\"/weft-agent.jar\",\"/weft/weft-agent.jar\"]");
        assertThat(injected.at("/spec/initContainers/0/imagePullPolicy").asText()).isEqualTo("IfNotPresent");
        assertThat(injected.at("/spec/initContainers/0/resources")).isEqualTo(pod("{requests: {cpu: 100m, memory: 32Mi}, limits: {cpu: 100m, memory: 32Mi}}"));
        assertThat(names(injected.at("/spec/volumes"))).containsExactly("kube-api-access-8x2lq", "weft-agent", "weft-identity", "weft-state");
        assertThat(injected.at("/spec/volumes/1")).isEqualTo(pod("{name: weft-agent, emptyDir: {}}"));
        assertThat(injected.at("/spec/volumes/2/projected/sources/0/serviceAccountToken"))
                .isEqualTo(pod("{audience: weft, expirationSeconds: 3600, path: token}"));
        assertThat(injected.at("/spec/volumes/2/projected/sources/1/downwardAPI/items/0/fieldRef/fieldPath").asText())
                .isEqualTo("metadata.annotations['weft.io/trust-bundle']");
        assertThat(injected.at("/metadata/annotations/weft.io~1trust-bundle").asText()).isEqualTo(ROOTS);

        JsonNode app = injected.at("/spec/containers/0");
        assertThat(app.path("volumeMounts").size()).isEqualTo(4);
        assertThat(named(app.path("volumeMounts"), "weft-agent")).isEqualTo(pod("{name: weft-agent, mountPath: /weft, readOnly: true}"));
        assertThat(named(app.path("volumeMounts"), "weft-identity")).isEqualTo(pod("{name: weft-identity, mountPath: /var/run/secrets/weft, readOnly: true}"));
        assertThat(named(app.path("volumeMounts"), "weft-state")).isEqualTo(pod("{name: weft-state, mountPath: /var/run/weft}"));
        assertThat(values(app)).containsAllEntriesOf(Map.of(
                "JAVA_TOOL_OPTIONS", "-Xmx256m " + AGENT,
                "SPRING_PROFILES_ACTIVE", "prod",
                "WEFT_CONTROL_PLANE", "grpcs://weft-control-plane.weft-system.svc:5678",
                "WEFT_CONTROL_PLANE_TOKEN_FILE", "/var/run/secrets/weft/token",
                "WEFT_CONTROL_PLANE_CA_FILE", "/var/run/secrets/weft/ca.crt",
                "WEFT_MESH", "default",
                "WEFT_SERVICE", "orders",
                "WEFT_TAGS", "version=v2",
                "WEFT_ADMIN_DIR", "/var/run/weft/app"));
        assertThat(values(app)).containsEntry("WEFT_ADDRESS", "{\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"status.podIP\"}}");
        assertThat(values(app).get("WEFT_ZONE")).contains("metadata.labels['topology.kubernetes.io/zone']");

        // Nothing else of the pod is different.
        ObjectNode rest = injected.deepCopy();
        ((ObjectNode) rest.path("metadata")).remove("annotations");
        ObjectNode spec = (ObjectNode) rest.path("spec");
        spec.remove("initContainers");
        spec.set("volumes", pod.at("/spec/volumes"));
        ((ObjectNode) spec.at("/containers/0")).set("env", pod.at("/spec/containers/0/env"));
        ((ObjectNode) spec.at("/containers/0")).set("volumeMounts", pod.at("/spec/containers/0/volumeMounts"));
        assertThat(rest).isEqualTo(pod);
    }

    @Test
    void anImageVolumeNeedsNoInitContainer() {
        ObjectNode pod = pod(withEnv("env: []"));
        JsonNode injected = Pods.patched(pod, inject(pod, AgentDelivery.IMAGE_VOLUME).operations());
        assertThat(injected.at("/spec").has("initContainers")).isFalse();
        assertThat(injected.at("/spec/volumes/0")).isEqualTo(pod("{name: weft-agent, image: {reference: 'weft-agent:1', pullPolicy: IfNotPresent}}"));
        assertThat(options(injected)).isEqualTo(AGENT);
    }

    @ParameterizedTest
    @CsvSource({
        "'', false", "'runtimeClassName: gvisor,', true", "'hostUsers: false,', true", "'hostUsers: true,', false",
        "'volumes: [{name: weft-agent, emptyDir: {}}],', true",
    })
    void whereTheClusterCanAPodMountsTheImageUnlessItIsOfASpecialKind(String said, boolean init) {
        ObjectNode pod = pod("metadata: {name: a}\nspec: {%s containers: [{name: app}]}".formatted(said));
        JsonNode injected = Pods.patched(pod, inject(pod, Optional.empty(), AgentDelivery.IMAGE_VOLUME).operations());
        assertThat(injected.at("/spec").has("initContainers")).isEqualTo(init);
        assertThat(named(injected.at("/spec/volumes"), "weft-agent").has("image")).isNotEqualTo(init);
    }

    /** Else the init container would write into a volume that cannot be written. */
    @ParameterizedTest
    @EnumSource
    void whatTheClusterCanNowDoesNotChangeWhatAnEarlierRoundHasChosen(AgentDelivery before) {
        AgentDelivery now = before == AgentDelivery.IMAGE_VOLUME ? AgentDelivery.INIT_CONTAINER : AgentDelivery.IMAGE_VOLUME;
        ObjectNode pod = pod(withEnv("env: []"));
        ObjectNode once = (ObjectNode) Pods.patched(pod, inject(pod, Optional.empty(), before).operations());
        once.withArray("/spec/containers").add(pod("{name: late, image: x}"));
        JsonNode twice = Pods.patched(once, inject(once, Optional.empty(), now).operations());
        assertThat(twice.at("/spec/volumes")).isEqualTo(once.at("/spec/volumes"));
        assertThat(twice.at("/spec/initContainers")).isEqualTo(once.at("/spec/initContainers"));
        assertThat(named(twice.at("/spec/containers/1/volumeMounts"), "weft-agent")).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "metadata: {name: a}\nspec: {containers: [{name: app}]}",
        "metadata: {name: a}\nspec: {containers: [{name: app, env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]}",
        "metadata: {name: a}\nspec: {initContainers: [{name: migrate}], containers: [{name: app, env: []}, {name: other}]}",
        "metadata: {name: a, annotations: {weft.io/containers: 'migrate, app'}}\nspec: {initContainers: [{name: migrate}], containers: [{name: app}]}",
    })
    void aSecondRoundChangesNothing(String yaml) {
        for (AgentDelivery delivery : AgentDelivery.values()) {
            ObjectNode pod = pod(yaml);
            ObjectNode once = (ObjectNode) Pods.patched(pod, inject(pod, delivery).operations());
            Outcome second = inject(once, delivery);
            assertThat(second.operations()).as(delivery.name()).isEmpty();
            assertThat(second.warnings()).isEmpty();
        }
    }

    @Test
    void aContainerThatAnotherWebhookAddsLaterJoinsTheRest() {
        ObjectNode pod = pod(withEnv("env: []"));
        ObjectNode once = (ObjectNode) Pods.patched(pod, inject(pod, AgentDelivery.INIT_CONTAINER).operations());
        once.withArray("/spec/containers").add(pod("{name: late, image: x}"));
        JsonNode twice = Pods.patched(once, inject(once, AgentDelivery.INIT_CONTAINER).operations());
        assertThat(names(twice.at("/spec/initContainers"))).containsExactly("weft-agent");
        assertThat(names(twice.at("/spec/volumes"))).containsExactly("weft-agent", "weft-identity", "weft-state");
        assertThat(values(twice.at("/spec/containers/1"))).containsEntry("JAVA_TOOL_OPTIONS", AGENT);
        assertThat(values(twice.at("/spec/containers/0"))).containsEntry("JAVA_TOOL_OPTIONS", AGENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "metadata: {name: a, labels: {weft.io/inject: disabled}}\nspec: {containers: [{name: app}]}",
        "metadata: {name: a, annotations: {weft.io/inject: disabled}}\nspec: {containers: [{name: app}]}",
        "metadata: {name: a, annotations: {kubernetes.io/config.mirror: x}}\nspec: {containers: [{name: app}]}",
        "metadata: {name: a}\nspec: {containers: [{name: app, command: [java, -javaagent:/app/weft-agent.jar, -jar, a.jar]}]}",
        "metadata: {name: a}\nspec: {containers: [{name: app, args: ['-javaagent:/app/weft-agent.jar']}]}",
        "metadata: {name: a}\nspec: {containers: [{name: app, env: [{name: JDK_JAVA_OPTIONS, value: '-javaagent:/opt/weft/weft-agent.jar=a=b'}]}]}",
    })
    void whoOptsOutOrHasTheAgentByHandIsLeftAloneWithoutAWord(String yaml) {
        Outcome outcome = inject(pod(yaml), AgentDelivery.INIT_CONTAINER);
        assertThat(outcome.operations()).isEmpty();
        assertThat(outcome.warnings()).isEmpty();
    }

    // JAVA_TOOL_OPTIONS

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}]                                           | -Xmx1g -javaagent:/weft/weft-agent.jar",
        "env: [{name: JAVA_TOOL_OPTIONS, value: '-Dgreeting=\"good day\"'}]                        | -Dgreeting=\"good day\" -javaagent:/weft/weft-agent.jar",
        "env: [{name: X, value: a}, {name: JAVA_TOOL_OPTIONS, value: '-Dx=$(X)'}]                  | -Dx=$(X) -javaagent:/weft/weft-agent.jar",
        "env: [{name: JAVA_TOOL_OPTIONS, value: '-javaagent:/otel.jar'}]                           | -javaagent:/otel.jar -javaagent:/weft/weft-agent.jar",
        "env: [{name: JAVA_TOOL_OPTIONS}]                                                          | -javaagent:/weft/weft-agent.jar",
        "env: [{name: JAVA_TOOL_OPTIONS, value: '  '}]                                             | -javaagent:/weft/weft-agent.jar",
        "env: [{name: JAVA_TOOL_OPTIONS, value: -Xa}, {name: JAVA_TOOL_OPTIONS, value: -Xb}]       | -Xb -javaagent:/weft/weft-agent.jar",
        "envFrom: []                                                                               | -javaagent:/weft/weft-agent.jar",
        "envFrom: [{prefix: APP_, secretRef: {name: s}}, {prefix: JAVA_TOOL_OPTIONS, secretRef: {name: s}}] | -javaagent:/weft/weft-agent.jar",
        "envFrom: [{configMapRef: {name: plain}}]                                                  | -javaagent:/weft/weft-agent.jar",
        "envFrom: [{configMapRef: {name: absent, optional: true}}]                                 | -javaagent:/weft/weft-agent.jar",
        "'env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx1g}], envFrom: [{secretRef: {name: s}}]'      | -Xmx1g -javaagent:/weft/weft-agent.jar",
    })
    void theAgentIsAppendedToWhatIsThere(String environment, String expected) {
        configMaps.put("plain", Set.of("A"));
        assertThat(options(injected(withEnv(environment)))).isEqualTo(expected);
    }

    /** Of whoever asks nobody knows whether he may read it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "envFrom: [{configMapRef: {name: options}}]                                     | options  | JAVA_TOOL_OPTIONS",
        "envFrom: [{configMapRef: {name: options}}, {configMapRef: {name: others}}]     | others   | JAVA_TOOL_OPTIONS",
        "envFrom: [{configMapRef: {name: others}}, {configMapRef: {name: plain}}]       | others   | JAVA_TOOL_OPTIONS",
        "envFrom: [{prefix: JAVA_, configMapRef: {name: prefixed}}]                     | prefixed | TOOL_OPTIONS",
        "'env: [{name: A, value: b}], envFrom: [{configMapRef: {name: options}}]'       | options  | JAVA_TOOL_OPTIONS",
    })
    void whatAConfigMapHoldsIsReferredToAndNotCopied(String environment, String configMap, String key) {
        configMaps.put("plain", Set.of("A"));
        configMaps.put("options", Set.of("JAVA_TOOL_OPTIONS"));
        configMaps.put("others", Set.of("A", "JAVA_TOOL_OPTIONS"));
        configMaps.put("prefixed", Set.of("TOOL_OPTIONS", "JAVA_TOOL_OPTIONS"));
        JsonNode env = injected(withEnv(environment)).at("/spec/containers/0/env");
        assertThat(named(env, "APP_JAVA_TOOL_OPTIONS").path("valueFrom"))
                .isEqualTo(pod("{configMapKeyRef: {name: " + configMap + ", key: " + key + "}}"));
        assertThat(named(env, "JAVA_TOOL_OPTIONS").path("value").asText()).isEqualTo("$(APP_JAVA_TOOL_OPTIONS) " + AGENT);
        // Kubernetes expands only what stands before.
        assertThat(names(env)).containsSubsequence("APP_JAVA_TOOL_OPTIONS", "JAVA_TOOL_OPTIONS");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "secretKeyRef: {name: jvm, key: options}",
        "configMapKeyRef: {name: jvm, key: options, optional: false}",
        "fieldRef: {fieldPath: \"metadata.annotations['options']\"}",
        "resourceFieldRef: {resource: limits.memory}",
    })
    void aReferenceIsKeptUnderAnotherNameAndReferredTo(String reference) {
        JsonNode env = injected(withEnv("env: [{name: A, value: b}, {name: JAVA_TOOL_OPTIONS, valueFrom: {" + reference + "}}, {name: C, value: d}]"))
                .at("/spec/containers/0/env");
        assertThat(names(env).subList(0, 4)).containsExactly("A", "APP_JAVA_TOOL_OPTIONS", "JAVA_TOOL_OPTIONS", "C");
        assertThat(env.at("/1/valueFrom")).isEqualTo(pod("{" + reference + "}"));
        assertThat(env.at("/2/value").asText()).isEqualTo("$(APP_JAVA_TOOL_OPTIONS) " + AGENT);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}]    | optional secretKeyRef",
        "env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {configMapKeyRef: {name: s, key: k, optional: true}}}] | optional configMapKeyRef",
        "env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]       | not known here",
        "'env: [{name: APP_JAVA_TOOL_OPTIONS, value: x}, {name: JAVA_TOOL_OPTIONS, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]' | rename it",
        "env: [{name: JAVA_TOOL_OPTIONS, value: '-Dx=\"a'}]                                                | a quote in JAVA_TOOL_OPTIONS is not closed",
        "envFrom: [{secretRef: {name: s}}]                                                                 | Secret s",
        "envFrom: [{prefix: JAVA_, secretRef: {name: s}}]                                                  | Secret s",
        "envFrom: [{configMapRef: {name: absent}}]                                                         | does not exist yet",
        "envFrom: [{configMapRef: {name: options, optional: true}}]                                        | optional configMapRef",
        "'envFrom: [{configMapRef: {name: options}}], env: [{name: APP_JAVA_TOOL_OPTIONS, value: x}]'      | rename it",
        "envFrom: [{configMapRef: {name: forbidden}}]                                                      | not allowed",
        "volumeMounts: [{name: data, mountPath: /weft/}]                                                   | mount it elsewhere",
    })
    void whereItCannotBeAppendedSafelyThePodIsLeftAlone(String environment, String reason) {
        configMaps.put("options", Set.of("JAVA_TOOL_OPTIONS"));
        assertThat(leftAlone(withEnv(environment))).contains("does not join the mesh", reason);
    }

    @Test
    void onePartThatCannotBeDoneLeavesTheWholePodAlone() {
        assertThat(leftAlone("""
                metadata: {name: a}
                spec: {containers: [{name: app}, {name: other, envFrom: [{secretRef: {name: s}}]}]}
                """)).contains("container other");
    }

    @Test
    void theOperatorMaySayWhatComesBySecret() {
        String pod = "metadata: {name: a, annotations: {weft.io/java-tool-options: '%s'}}\n"
                + "spec: {containers: [{name: app, envFrom: [{secretRef: {name: s}}]}]}";
        assertThat(options(injected(pod.formatted("")))).isEqualTo(AGENT);
        assertThat(options(injected(pod.formatted("-Xmx1g")))).isEqualTo("-Xmx1g " + AGENT);
    }

    @Test
    void windowsIsLeftAlone() {
        assertThat(leftAlone("metadata: {name: a}\nspec: {os: {name: windows}, containers: [{name: app}]}")).contains("Linux");
        assertThat(leftAlone("metadata: {name: a}\nspec: {nodeSelector: {kubernetes.io/os: windows}, containers: [{name: app}]}")).contains("Linux");
    }

    // Which containers

    @Test
    void ofSeveralContainersAllGetTheAgentAndOneIsTheInstance() {
        JsonNode pod = injected("""
                metadata: {name: a, labels: {app: orders}}
                spec:
                  initContainers: [{name: migrate}, {name: sidecar, restartPolicy: Always}]
                  containers: [{name: app}, {name: worker}]
                """);
        assertThat(names(pod.at("/spec/initContainers"))).containsExactly("weft-agent", "migrate", "sidecar");
        assertThat(pod.at("/spec/initContainers/1").size()).isEqualTo(1);
        assertThat(pod.at("/spec/initContainers/2").size()).isEqualTo(2);
        assertThat(values(pod.at("/spec/containers/0"))).containsEntry("WEFT_SERVICE", "orders").containsEntry("WEFT_ADMIN_DIR", "/var/run/weft/app");
        assertThat(values(pod.at("/spec/containers/1"))).doesNotContainKey("WEFT_SERVICE")
                .containsEntry("JAVA_TOOL_OPTIONS", AGENT).containsEntry("WEFT_ADMIN_DIR", "/var/run/weft/worker");
    }

    @Test
    void theDefaultContainerIsTheInstance() {
        JsonNode pod = injected("""
                metadata: {name: a, labels: {app: orders}, annotations: {kubectl.kubernetes.io/default-container: web}}
                spec: {containers: [{name: proxy}, {name: web}]}
                """);
        assertThat(values(pod.at("/spec/containers/0"))).doesNotContainKey("WEFT_SERVICE");
        assertThat(values(pod.at("/spec/containers/1"))).containsEntry("WEFT_SERVICE", "orders");
    }

    @Test
    void anAnnotationChoosesContainersOfEveryKind() {
        ObjectNode pod = pod("""
                metadata: {name: a, labels: {app: orders}, annotations: {weft.io/containers: "migrate, sidecar ,app,gone"}}
                spec:
                  initContainers: [{name: other}, {name: migrate}, {name: sidecar, restartPolicy: Always}]
                  containers: [{name: log}, {name: app}]
                """);
        Outcome outcome = inject(pod, AgentDelivery.INIT_CONTAINER);
        assertThat(outcome.warnings()).containsExactly("weft: annotation weft.io/containers: there is no container 'gone'");
        JsonNode injected = Pods.patched(pod, outcome.operations());
        assertThat(names(injected.at("/spec/initContainers"))).containsExactly("weft-agent", "other", "migrate", "sidecar");
        assertThat(values(injected.at("/spec/initContainers/1"))).isEmpty();
        assertThat(values(injected.at("/spec/initContainers/2"))).containsEntry("JAVA_TOOL_OPTIONS", AGENT).doesNotContainKey("WEFT_SERVICE");
        assertThat(values(injected.at("/spec/initContainers/3"))).containsEntry("JAVA_TOOL_OPTIONS", AGENT).doesNotContainKey("WEFT_SERVICE");
        assertThat(values(injected.at("/spec/containers/0"))).isEmpty();
        assertThat(values(injected.at("/spec/containers/1"))).containsEntry("WEFT_SERVICE", "orders");
    }

    // Security

    @Test
    void theInitContainerKeepsToTheRestrictedPodSecurityStandard() {
        JsonNode init = injected(withEnv("env: []")).at("/spec/initContainers/0");
        assertThat(init.path("securityContext")).isEqualTo(pod("""
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                runAsNonRoot: true
                capabilities: {drop: [ALL]}
                seccompProfile: {type: RuntimeDefault}
                """));
        assertThat(injected("metadata: {name: a}\nspec: {securityContext: {runAsUser: 0}, containers: [{name: app}]}")
                .at("/spec/initContainers/0/securityContext/runAsUser").asInt()).isEqualTo(65_532);
        assertThat(injected("metadata: {name: a}\nspec: {securityContext: {runAsUser: 1001}, containers: [{name: app}]}")
                .at("/spec/initContainers/0/securityContext").has("runAsUser")).isFalse();
    }

    @Test
    void aPodStaysInItsClassOfService() {
        assertThat(injected(withEnv("resources: {}")).at("/spec/initContainers/0").has("resources")).isFalse();
        JsonNode guaranteed = injected(withEnv("resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}")).at("/spec/initContainers/0/resources");
        assertThat(guaranteed.path("requests")).isEqualTo(guaranteed.path("limits")).isNotEmpty();
    }

    // Service, version

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {
        "labels: {app.kubernetes.io/name: shop, app: orders}                                                                   | shop",
        "'labels: {app: orders}, annotations: {weft.io/service: special}'                                                      | special",
        "labels: {k8s-app: dns}                                                                                                | dns",
        "'labels: {pod-template-hash: abc}, ownerReferences: [{kind: ReplicaSet, name: cart-abc, controller: true}]'           | cart",
        "ownerReferences: [{kind: ReplicaSet, name: cart-abc, controller: true}]                                               | cart-abc",
        "ownerReferences: [{kind: StatefulSet, name: db, controller: true}]                                                    | db",
        "ownerReferences: [{kind: DaemonSet, name: node, controller: false}]                                                   | none",
        "'labels: {app: orders, batch.kubernetes.io/job-name: nightly-1}, ownerReferences: [{kind: Job, name: nightly-1, controller: true}]' | none",
        "'annotations: {weft.io/service: batch}, ownerReferences: [{kind: Job, name: nightly-1, controller: true}]'            | batch",
        "annotations: {weft.io/service: 'not a name'}                                                                          | none",
        "name: alone                                                                                                           | none",
    })
    void theServiceComesFromLabelsOrTheOwner(String metadata, String service) {
        JsonNode pod = injected("metadata: {" + metadata + "}\nspec: {containers: [{name: app}]}");
        assertThat(values(pod.at("/spec/containers/0")).get("WEFT_SERVICE")).isEqualTo(service);
        if (service != null) {
            assertThat(annotatedService(pod)).as("for the control plane").isEqualTo(service);
        }
    }

    private static String annotatedService(JsonNode pod) {
        return pod.at("/metadata/annotations").path("weft.io/service").asText(null);
    }

    /** The control plane sees the pod, and the agent what its container says. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {
        "labels: {app: orders}                                            | 'env: []'                                                             | orders",
        "labels: {app: orders}                                            | 'env: [{name: WEFT_SERVICE, value: mine}]'                            | mine",
        "labels: {app: orders}                                            | 'env: [{name: OTEL_SERVICE_NAME, value: mine}]'                       | mine",
        "labels: {app: orders}                                            | 'env: [{name: OTEL_SERVICE_NAME, value: a}, {name: WEFT_SERVICE, value: b}]' | b",
        "labels: {app: orders}                                            | 'env: [{name: WEFT_SERVICE, value: $(X)}]'                            | none",
        "labels: {app: orders}                                            | 'env: [{name: WEFT_SERVICE, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]' | none",
        "'labels: {app: orders}, annotations: {weft.io/service: special}' | 'env: [{name: WEFT_SERVICE, value: mine}]'                            | special",
        "'labels: {app: orders}, annotations: {weft.io/service: a b}'     | 'env: []'                                                             | orders",
        "'labels: {app: a}, ownerReferences: [{kind: Job, name: n, controller: true}]' | 'env: []'                                                | none",
    })
    void theAnnotationSaysWhatTheAgentCallsItself(String metadata, String environment, String service) {
        JsonNode pod = injected("metadata: {" + metadata + "}\nspec: {containers: [{name: app, " + environment + "}]}");
        assertThat(annotatedService(pod)).isEqualTo(service);
    }

    @Test
    void aJobIsInTheMeshWithoutBeingAService() {
        JsonNode pod = injected("""
                metadata: {generateName: nightly-, ownerReferences: [{kind: Job, name: nightly, controller: true}]}
                spec: {restartPolicy: Never, containers: [{name: app}]}
                """);
        assertThat(values(pod.at("/spec/containers/0"))).containsKey("WEFT_CONTROL_PLANE").containsEntry("JAVA_TOOL_OPTIONS", AGENT);
        // One that ends, not a native sidecar, which would outlive nothing but is not needed.
        assertThat(pod.at("/spec/initContainers/0").has("restartPolicy")).isFalse();
    }

    @Test
    void whatTheContainerSaysItselfStays() {
        JsonNode pod = injected("""
                metadata: {name: a, labels: {app: orders, app.kubernetes.io/version: "1.2", kuma.io/mesh: blue}, annotations: {weft.io/ports: "8080"}}
                spec: {containers: [{name: app, env: [{name: OTEL_SERVICE_NAME, value: mine}, {name: WEFT_TAGS, value: a=b}, {name: WEFT_ZONE, value: z}]}]}
                """);
        assertThat(values(pod.at("/spec/containers/0"))).doesNotContainKeys("WEFT_SERVICE", "WEFT_PORTS")
                .containsEntry("WEFT_TAGS", "a=b").containsEntry("WEFT_ZONE", "z").containsEntry("WEFT_MESH", "blue");
        JsonNode other = injected("""
                metadata: {name: a, labels: {app: orders, app.kubernetes.io/version: "1.2"}, annotations: {weft.io/ports: "8080"}}
                spec: {containers: [{name: app}]}
                """);
        assertThat(values(other.at("/spec/containers/0"))).containsEntry("WEFT_TAGS", "version=1.2").containsEntry("WEFT_PORTS", "8080");
    }

    @Test
    void whatStandsInAnAnnotationIsNotExpanded() {
        JsonNode pod = injected("metadata: {name: a, labels: {app: a}, annotations: {weft.io/ports: '$(HOME)'}}\nspec: {containers: [{name: app}]}");
        assertThat(values(pod.at("/spec/containers/0"))).containsEntry("WEFT_PORTS", "$$(HOME)");
    }
}
