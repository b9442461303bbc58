package io.weft.controlplane.injector;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.zjsonpatch.JsonPatch;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Pods and reviews, and what becomes of them by somebody else's implementation of JSON patch. */
final class Pods {

    private static final YAMLMapper YAML = new YAMLMapper();
    private static final ObjectMapper JSON = new ObjectMapper();

    private Pods() {}

    static ObjectNode pod(String yaml) {
        try {
            return (ObjectNode) YAML.readTree(yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The review of a pod of a Deployment. */
    static byte[] review() {
        try (InputStream in = Pods.class.getResourceAsStream("/admission/deployment-pod.json")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ObjectNode json(byte[] bytes) {
        try {
            return (ObjectNode) JSON.readTree(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode patched(JsonNode pod, JsonNode operations) {
        // It is written for another generation of Jackson.
        tools.jackson.databind.ObjectMapper mapper = new tools.jackson.databind.ObjectMapper();
        return json(JsonPatch.apply(mapper.readTree(operations.toString()), mapper.readTree(pod.toString())).toString().getBytes(StandardCharsets.UTF_8));
    }

    /** As the API server does with the response to a review. */
    static JsonNode admitted(byte[] review, byte[] response) {
        JsonNode answer = json(response).path("response");
        if (!answer.has("patch")) {
            return json(review).at("/request/object");
        }
        try {
            return patched(json(review).at("/request/object"), JSON.readTree(Base64.getDecoder().decode(answer.path("patch").asText())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
