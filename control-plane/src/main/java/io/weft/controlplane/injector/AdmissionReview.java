package io.weft.controlplane.injector;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/**
 * The request of a review of {@code admission.k8s.io/v1}. That of a dry run is like any other: nothing here has an effect of its own.
 *
 * @param uid to be repeated in the response
 * @param namespace of the pod, which does not always say so itself
 * @param creates whether the pod is being created
 * @param pod a {@code v1} Pod as JSON; absent fields are absent
 */
record AdmissionReview(String uid, String namespace, boolean creates, ObjectNode pod) {

    static final String API_VERSION = "admission.k8s.io/v1";

    /** What the API server takes of a response's warnings, with some room. */
    private static final int WARNINGS_LENGTH = 4_000;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** @throws InvalidReviewException it is something else */
    static AdmissionReview parse(byte[] body) throws InvalidReviewException {
        JsonNode review = object(body);
        demand(review, "/apiVersion", API_VERSION);
        demand(review, "/kind", "AdmissionReview");
        String uid = text(review, "/request/uid");
        demand(review, "/request/kind/group", "");
        demand(review, "/request/kind/version", "v1");
        demand(review, "/request/kind/kind", "Pod");
        JsonNode pod = review.at("/request/object");
        boolean creates = text(review, "/request/operation").equals("CREATE");
        if (!(pod instanceof ObjectNode) || !pod.path("spec").isObject() || !pod.path("metadata").isObject()) {
            if (creates) {
                throw new InvalidReviewException("request.object must be a Pod with metadata and spec");
            }
            // Of what is deleted there is none.
            pod = JSON.createObjectNode();
        }
        return new AdmissionReview(uid, text(review, "/request/namespace"), creates, (ObjectNode) pod);
    }

    private static JsonNode object(byte[] body) throws InvalidReviewException {
        try {
            JsonNode review = JSON.readTree(body);
            if (review != null && review.isObject()) {
                return review;
            }
        } catch (JsonProcessingException e) {
            // Not its message, which quotes the body.
            JsonLocation location = e.getLocation();
            throw new InvalidReviewException("the body is not valid JSON"
                    + (location == null ? "" : ": line " + location.getLineNr() + ", column " + location.getColumnNr()));
        } catch (IOException e) {
            throw new IllegalStateException("from memory", e);
        }
        throw new InvalidReviewException("the body must be a JSON object, an AdmissionReview of " + API_VERSION);
    }

    private static void demand(JsonNode review, String pointer, String expected) throws InvalidReviewException {
        JsonNode found = review.at(pointer);
        if (!found.isTextual() || !found.textValue().equals(expected)) {
            String shown = found.isTextual() && found.textValue().length() <= 100 ? "'" + found.textValue() + "'" : found.getNodeType().name().toLowerCase();
            throw new InvalidReviewException(field(pointer) + " must be '" + expected + "', not " + shown);
        }
    }

    private static String text(JsonNode review, String pointer) throws InvalidReviewException {
        JsonNode found = review.at(pointer);
        if (!found.isTextual() || found.textValue().isEmpty()) {
            throw new InvalidReviewException(field(pointer) + " must be a string that is not empty");
        }
        return found.textValue();
    }

    private static String field(String pointer) {
        return pointer.substring(1).replace('/', '.');
    }

    /** @param operations empty: as it is */
    byte[] response(ArrayNode operations, List<String> warnings) {
        ObjectNode review = JSON.createObjectNode().put("apiVersion", API_VERSION).put("kind", "AdmissionReview");
        ObjectNode response = review.putObject("response").put("uid", uid).put("allowed", true);
        if (!operations.isEmpty()) {
            byte[] patch = operations.toString().getBytes(StandardCharsets.UTF_8);
            response.put("patchType", "JSONPatch").put("patch", Base64.getEncoder().encodeToString(patch));
        }
        int left = WARNINGS_LENGTH;
        for (String warning : warnings) {
            left -= warning.length();
            if (left >= 0) {
                response.withArray("/warnings").add(warning);
            }
        }
        return review.toString().getBytes(StandardCharsets.UTF_8);
    }
}
