package io.weft.controlplane.injector;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.weft.controlplane.policy.Labels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a pod the agent, an identity and its settings. What is there already, by an earlier round or by hand, is not given again, so
 * that any number of rounds comes to the same. Thread-safe.
 */
final class PodInjection {

    private static final Logger LOG = LoggerFactory.getLogger(PodInjection.class);

    /** Label of a namespace or a pod, or annotation of a pod: {@code enabled} or {@code disabled}. */
    static final String INJECT = "weft.io/inject";
    /** Annotations of a pod. */
    static final String CONTAINERS = "weft.io/containers";
    static final String SERVICE = "weft.io/service";
    static final String PORTS = "weft.io/ports";
    static final String OPTIONS = "weft.io/java-tool-options";
    static final String REQUIRED = "weft.io/required";
    /** Annotations that are set here. */
    static final String INJECTED = "weft.io/injected";
    static final String TRUST_BUNDLE = "weft.io/trust-bundle";

    static final String AGENT_VOLUME = "weft-agent";
    static final String IDENTITY_VOLUME = "weft-identity";
    static final String STATE_VOLUME = "weft-state";
    static final String INIT_CONTAINER = "weft-agent";

    static final String AGENT_DIRECTORY = "/weft";
    static final String AGENT_JAR = AGENT_DIRECTORY + "/weft-agent.jar";
    static final String IDENTITY_DIRECTORY = "/var/run/secrets/weft";
    static final String STATE_DIRECTORY = "/var/run/weft";

    /** Whom the token is for. The control plane asks for the same. */
    static final String AUDIENCE = "weft";

    private static final String OPTION = "-javaagent:" + AGENT_JAR;
    private static final long TOKEN_SECONDS = 3_600;
    private static final String JAR_NAME = "weft-agent.jar";
    private static final String DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";
    private static final String ZONE_LABEL = "topology.kubernetes.io/zone";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final PodSettings settings;
    private final Supplier<AgentDelivery> delivery;
    private final Supplier<Optional<String>> roots;
    private final ConfigMaps configMaps;

    /**
     * @param delivery for pods of which nothing speaks against it
     * @param roots PEM certificates that the control plane's chains to, if that is one of ours
     */
    PodInjection(PodSettings settings, Supplier<AgentDelivery> delivery, Supplier<Optional<String>> roots, ConfigMaps configMaps) {
        this.settings = settings;
        this.delivery = delivery;
        this.roots = roots;
        this.configMaps = configMaps;
    }

    /**
     * @param operations empty: the pod stays as it is
     * @param warnings for whoever creates it
     */
    record Outcome(ArrayNode operations, List<String> warnings) {}

    /** Allows whatever is asked: a fault of this program never keeps a pod from starting. */
    byte[] answer(AdmissionReview review) {
        if (!review.creates()) {
            return review.response(NODES.arrayNode(), List.of());
        }
        try {
            Outcome outcome = inject(review.pod(), review.namespace());
            return review.response(outcome.operations, outcome.warnings);
        } catch (RuntimeException e) {
            LOG.error("a pod of namespace {} is left alone, because of a fault of this program", review.namespace(), e);
            return review.response(NODES.arrayNode(), List.of("weft: this pod does not join the mesh: a fault of the injector, see its log"));
        }
    }

    /** @param pod is not changed */
    Outcome inject(ObjectNode pod, String namespace) {
        List<String> warnings = new ArrayList<>();
        try {
            if (optsOut(pod)) {
                return new Outcome(NODES.arrayNode(), List.of());
            }
            JsonPatch patch = new JsonPatch(pod.deepCopy());
            new Round(pod, namespace, patch, warnings).run();
            return new Outcome(patch.operations(), warnings);
        } catch (LeftAloneException e) {
            warnings.add("weft: this pod does not join the mesh: " + e.getMessage());
            return new Outcome(NODES.arrayNode(), warnings);
        }
    }

    private static boolean optsOut(JsonNode pod) {
        return Workload.label(pod, INJECT).or(() -> Workload.annotation(pod, INJECT)).filter("disabled"::equals).isPresent()
                // The kubelet has started it already.
                || Workload.annotation(pod, "kubernetes.io/config.mirror").isPresent();
    }

    /**
     * A container by where it stands.
     *
     * @param list {@code containers} or {@code initContainers}
     */
    private record Place(String list, int index, JsonNode container) {
        String name() {
            return container.path("name").asText();
        }

        boolean isOfTheApp() {
            return list.equals("containers");
        }

        String pointer() {
            return "/spec/" + list + "/" + index;
        }
    }

    /** One pod. */
    private final class Round {

        private final JsonNode pod;
        private final String namespace;
        private final JsonPatch patch;
        private final List<String> warnings;
        private final JavaToolOptions options;
        private final Optional<String> trustBundle = settings.trusts() == PodSettings.Trust.OURS ? roots.get() : Optional.empty();

        Round(JsonNode pod, String namespace, JsonPatch patch, List<String> warnings) {
            this.pod = pod;
            this.namespace = namespace;
            this.patch = patch;
            this.warnings = warnings;
            this.options = new JavaToolOptions(patch, configMaps, OPTION);
        }

        void run() throws LeftAloneException {
            if (pod.at("/spec/os/name").asText().equals("windows")
                    || pod.at("/spec/nodeSelector").path("kubernetes.io/os").asText().equals("windows")) {
                throw new LeftAloneException("the agent's image is for Linux");
            }
            List<Place> chosen = chosen();
            chosen.removeIf(place -> options.isIn(place.container));
            if (chosen.isEmpty()) {
                return;
            }
            Optional<String> main = mainContainer(chosen);
            for (Place place : chosen) {
                demandNoMountOfAnother(place.container);
            }
            for (Place place : chosen) {
                options.append(place.container, place.pointer(), namespace, Workload.annotation(pod, OPTIONS));
                settle(place, main.filter(place.name()::equals).isPresent());
                mount(place, AGENT_VOLUME, AGENT_DIRECTORY, true);
                mount(place, IDENTITY_VOLUME, IDENTITY_DIRECTORY, true);
                mount(place, STATE_VOLUME, STATE_DIRECTORY, false);
            }
            AgentDelivery way = way();
            if (!has("/spec/volumes", AGENT_VOLUME)) {
                patch.append("/spec/volumes", way.volume(settings.image()));
            }
            if (!has("/spec/volumes", IDENTITY_VOLUME)) {
                patch.append("/spec/volumes", identity());
            }
            if (!has("/spec/volumes", STATE_VOLUME)) {
                patch.append("/spec/volumes", state());
            }
            if (Workload.said(pod).isEmpty()) {
                // So that the control plane, which sees the pod and not its agent, takes it for the same.
                chosen.stream()
                        .filter(place -> main.filter(place.name()::equals).isPresent())
                        .findFirst()
                        .flatMap(place -> service(place.container))
                        .ifPresent(service -> patch.put("/metadata/annotations", SERVICE, TextNode.valueOf(service)));
            }
            trustBundle.ifPresent(certificates -> patch.put("/metadata/annotations", TRUST_BUNDLE, TextNode.valueOf(certificates)));
            patch.put("/metadata/annotations", INJECTED, TextNode.valueOf(settings.image().reference()));
            // The last operation: it moves the init containers that the others have pointed at.
            if (way == AgentDelivery.INIT_CONTAINER && !has("/spec/initContainers", INIT_CONTAINER)) {
                patch.insert("/spec/initContainers", 0, initContainer());
            }
        }

        /** What an earlier round has chosen stays so, whatever has become of the cluster since. */
        private AgentDelivery way() {
            for (JsonNode volume : pod.at("/spec/volumes")) {
                if (volume.path("name").asText().equals(AGENT_VOLUME)) {
                    return volume.has("image") ? AgentDelivery.IMAGE_VOLUME : AgentDelivery.INIT_CONTAINER;
                }
            }
            // What a node can, a sandbox on it, or a file system with other owners, may not.
            boolean ordinary = pod.at("/spec/runtimeClassName").asText("").isEmpty() && pod.at("/spec/hostUsers").asBoolean(true);
            return settings.delivery().orElseGet(() -> ordinary ? delivery.get() : AgentDelivery.INIT_CONTAINER);
        }

        /** By annotation, from all containers; else the app's, but for those that have the agent by hand. */
        private List<Place> chosen() {
            List<Place> all = new ArrayList<>();
            for (String list : new String[] {"initContainers", "containers"}) {
                JsonNode containers = pod.at("/spec/" + list);
                for (int i = 0; i < containers.size(); i++) {
                    if (!containers.get(i).path("name").asText().equals(INIT_CONTAINER)) {
                        all.add(new Place(list, i, containers.get(i)));
                    }
                }
            }
            Optional<String> annotation = Workload.annotation(pod, CONTAINERS);
            if (annotation.isEmpty()) {
                all.removeIf(place -> !place.isOfTheApp());
            } else {
                Set<String> names = new LinkedHashSet<>(Arrays.asList(annotation.get().strip().split("\\s*,\\s*")));
                all.removeIf(place -> !names.contains(place.name()));
                all.forEach(place -> names.remove(place.name()));
                names.forEach(name -> warnings.add("weft: annotation " + CONTAINERS + ": there is no container '" + shown(name) + "'"));
            }
            all.removeIf(place -> hasAgentByHand(place.container));
            return all;
        }

        private boolean hasAgentByHand(JsonNode container) {
            for (JsonNode word : container.path("command")) {
                if (word.asText().contains(JAR_NAME)) {
                    return true;
                }
            }
            for (JsonNode word : container.path("args")) {
                if (word.asText().contains(JAR_NAME)) {
                    return true;
                }
            }
            for (JsonNode variable : container.path("env")) {
                String value = variable.path("value").asText("");
                if (value.contains(JAR_NAME) && !value.contains(OPTION)) {
                    return true;
                }
            }
            return false;
        }

        /** Of several JVMs in a pod one is the instance of its service; the others call through the mesh. */
        private Optional<String> mainContainer(List<Place> chosen) {
            List<String> names = chosen.stream().filter(Place::isOfTheApp).map(Place::name).toList();
            Optional<String> said = Workload.annotation(pod, DEFAULT_CONTAINER).filter(names::contains);
            return said.or(() -> names.stream().findFirst());
        }

        private void demandNoMountOfAnother(JsonNode container) throws LeftAloneException {
            for (JsonNode mount : container.path("volumeMounts")) {
                String path = mount.path("mountPath").asText().replaceAll("/+$", "");
                String volume = mount.path("name").asText();
                boolean ours = volume.equals(AGENT_VOLUME) || volume.equals(IDENTITY_VOLUME) || volume.equals(STATE_VOLUME);
                if (!ours && (path.equals(AGENT_DIRECTORY) || path.equals(IDENTITY_DIRECTORY) || path.equals(STATE_DIRECTORY))) {
                    throw new LeftAloneException("container " + container.path("name").asText() + " has volume " + volume + " at " + path
                            + ", where the agent's would be; mount it elsewhere");
                }
            }
        }

        private void settle(Place place, boolean isMain) {
            value(place, "WEFT_CONTROL_PLANE", settings.controlPlane().toString());
            value(place, "WEFT_CONTROL_PLANE_TOKEN_FILE", IDENTITY_DIRECTORY + "/token");
            if (trustBundle.isPresent()) {
                value(place, "WEFT_CONTROL_PLANE_CA_FILE", IDENTITY_DIRECTORY + "/ca.crt");
            }
            value(place, "WEFT_MESH", Workload.label(pod, Labels.MESH).orElse(settings.mesh()));
            if (isMain && !defines(place.container, "OTEL_SERVICE_NAME")) {
                Workload.service(pod).ifPresent(service -> value(place, "WEFT_SERVICE", service));
                Workload.annotation(pod, PORTS).ifPresent(ports -> value(place, "WEFT_PORTS", ports));
            }
            if (required()) {
                value(place, "WEFT_REQUIRED", "true");
            }
            Workload.version(pod).ifPresent(version -> value(place, "WEFT_TAGS", "version=" + version));
            field(place, "WEFT_ADDRESS", "status.podIP");
            // Empty on clusters that do not copy it from the node (before 1.35), which is as if it were not set.
            field(place, "WEFT_ZONE", "metadata.labels['" + ZONE_LABEL + "']");
            // The root file system may be read-only, and each container may have a user of its own.
            value(place, "WEFT_ADMIN_DIR", STATE_DIRECTORY + "/" + place.name());
        }

        /** As the agent takes it: what is neither true nor false is true. */
        private boolean required() {
            return Workload.annotation(pod, REQUIRED).map(said -> !said.equals("false")).orElse(settings.required());
        }

        /** What the agent of a container calls itself; empty: nothing, or what cannot be told from here. */
        private Optional<String> service(JsonNode container) {
            for (String name : new String[] {"WEFT_SERVICE", "OTEL_SERVICE_NAME"}) {
                if (defines(container, name)) {
                    return literal(container, name);
                }
            }
            return Workload.service(pod);
        }

        private static Optional<String> literal(JsonNode container, String name) {
            Optional<String> value = Optional.empty();
            for (JsonNode variable : container.path("env")) {
                if (variable.path("name").asText().equals(name)) {
                    value = Optional.of(variable.path("value").asText(""));
                }
            }
            return value.filter(Workload::isName);
        }

        private void value(Place place, String name, String value) {
            if (!defines(place.container, name)) {
                // What stands in a label or an annotation is not to be expanded.
                patch.append(place.pointer() + "/env", NODES.objectNode().put("name", name).put("value", value.replace("$(", "$$(")));
            }
        }

        private void field(Place place, String name, String path) {
            if (!defines(place.container, name)) {
                ObjectNode variable = NODES.objectNode().put("name", name);
                variable.putObject("valueFrom").putObject("fieldRef").put("apiVersion", "v1").put("fieldPath", path);
                patch.append(place.pointer() + "/env", variable);
            }
        }

        private boolean defines(JsonNode container, String name) {
            return named(container.path("env"), name);
        }

        private void mount(Place place, String volume, String path, boolean readOnly) {
            if (!named(place.container.path("volumeMounts"), volume)) {
                ObjectNode mount = NODES.objectNode().put("name", volume).put("mountPath", path);
                if (readOnly) {
                    mount.put("readOnly", true);
                }
                patch.append(place.pointer() + "/volumeMounts", mount);
            }
        }

        private ObjectNode identity() {
            ObjectNode volume = NODES.objectNode().put("name", IDENTITY_VOLUME);
            ArrayNode sources = volume.putObject("projected").putArray("sources");
            sources.addObject().putObject("serviceAccountToken")
                    .put("audience", AUDIENCE).put("expirationSeconds", TOKEN_SECONDS).put("path", "token");
            if (trustBundle.isPresent()) {
                // A config map would have to be in every namespace.
                sources.addObject().putObject("downwardAPI").putArray("items").addObject()
                        .put("path", "ca.crt")
                        .putObject("fieldRef").put("apiVersion", "v1")
                        .put("fieldPath", "metadata.annotations['" + TRUST_BUNDLE + "']");
            }
            return volume;
        }

        private ObjectNode state() {
            ObjectNode volume = NODES.objectNode().put("name", STATE_VOLUME);
            volume.putObject("emptyDir");
            return volume;
        }

        private ObjectNode initContainer() {
            ObjectNode container = NODES.objectNode().put("name", INIT_CONTAINER).put("image", settings.image().reference());
            settings.image().pullPolicy().ifPresent(policy -> container.put("imagePullPolicy", policy));
            container.putArray("command").add("/cp").add("/" + JAR_NAME).add(AGENT_JAR);
            container.putArray("volumeMounts").addObject().put("name", AGENT_VOLUME).put("mountPath", AGENT_DIRECTORY);
            ObjectNode security = container.putObject("securityContext")
                    .put("allowPrivilegeEscalation", false)
                    .put("readOnlyRootFilesystem", true)
                    .put("runAsNonRoot", true);
            if (pod.at("/spec/securityContext/runAsUser").asInt(-1) == 0) {
                // Else the pod's user or the image's, neither of which is root.
                security.put("runAsUser", 65_532);
            }
            security.putObject("capabilities").putArray("drop").add("ALL");
            security.putObject("seccompProfile").put("type", "RuntimeDefault");
            if (anyResources()) {
                // Equal, or a pod of the class Guaranteed would leave it; and none in one of the class BestEffort, for the same reason.
                ObjectNode resources = container.putObject("resources");
                for (String part : new String[] {"requests", "limits"}) {
                    resources.putObject(part).put("cpu", "100m").put("memory", "32Mi");
                }
            }
            return container;
        }

        private boolean anyResources() {
            for (String list : new String[] {"initContainers", "containers"}) {
                for (JsonNode container : pod.at("/spec/" + list)) {
                    JsonNode resources = container.path("resources");
                    if (!resources.path("requests").isEmpty() || !resources.path("limits").isEmpty()) {
                        return true;
                    }
                }
            }
            return !pod.at("/spec/resources/requests").isEmpty() || !pod.at("/spec/resources/limits").isEmpty();
        }

        private boolean has(String list, String name) {
            return named(pod.at(list), name);
        }
    }

    private static boolean named(JsonNode list, String name) {
        for (JsonNode each : list) {
            if (each.path("name").asText().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private static String shown(String name) {
        return name.length() <= 63 ? name : name.substring(0, 63) + "…";
    }
}
