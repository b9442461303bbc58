package io.weft.controlplane.injector;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a pod says of itself: the service that it is an instance of, and its version. */
final class Workload {

    private static final String[] NAME_LABELS = {"app.kubernetes.io/name", "app", "k8s-app"};
    private static final String[] VERSION_LABELS = {"version", "app.kubernetes.io/version"};

    /** What the agent takes as a name. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,253}");

    private Workload() {}

    /**
     * By annotation, by label, by the owner's name. Pods of jobs and pods without an owner are no instances of a service unless they
     * say so.
     */
    static Optional<String> service(JsonNode pod) {
        Optional<String> said = said(pod);
        if (said.isPresent()) {
            return said;
        }
        JsonNode owner = controller(pod);
        String kind = owner.path("kind").asText("");
        if (kind.equals("Job")) {
            return Optional.empty();
        }
        return firstLabel(pod, NAME_LABELS).or(() -> switch (kind) {
            case "ReplicaSet" -> Optional.of(deployment(pod, owner.path("name").asText("")));
            case "StatefulSet", "DaemonSet" -> Optional.of(owner.path("name").asText(""));
            default -> Optional.<String>empty();
        }).filter(Workload::isName);
    }

    /** The service that the annotation names. */
    static Optional<String> said(JsonNode pod) {
        return annotation(pod, PodInjection.SERVICE).filter(Workload::isName);
    }

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    static Optional<String> version(JsonNode pod) {
        return firstLabel(pod, VERSION_LABELS);
    }

    static Optional<String> annotation(JsonNode pod, String name) {
        JsonNode value = pod.path("metadata").path("annotations").path(name);
        return value.isTextual() ? Optional.of(value.textValue()) : Optional.empty();
    }

    static Optional<String> label(JsonNode pod, String name) {
        JsonNode value = pod.path("metadata").path("labels").path(name);
        return value.isTextual() ? Optional.of(value.textValue()) : Optional.empty();
    }

    private static JsonNode controller(JsonNode pod) {
        for (JsonNode owner : pod.path("metadata").path("ownerReferences")) {
            if (owner.path("controller").asBoolean()) {
                return owner;
            }
        }
        return pod.path("metadata").path("none");
    }

    private static String deployment(JsonNode pod, String replicaSet) {
        String hash = "-" + label(pod, "pod-template-hash").orElse("");
        return hash.length() > 1 && replicaSet.endsWith(hash) ? replicaSet.substring(0, replicaSet.length() - hash.length()) : replicaSet;
    }

    private static Optional<String> firstLabel(JsonNode pod, String... names) {
        for (String name : names) {
            Optional<String> value = label(pod, name).filter(text -> !text.isEmpty());
            if (value.isPresent()) {
                return value;
            }
        }
        return Optional.empty();
    }
}
