package io.weft.controlplane.xds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Resources as JSON, and what of it is said where. */
final class Served {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What it was before a patch (RFC 6902), of whose operations Kuma writes two, which name the value either way. */
    static JsonNode unpatched(JsonNode document, JsonNode operations) {
        JsonNode patched = document.deepCopy();
        for (int i = operations.size() - 1; i >= 0; i--) {
            JsonNode operation = operations.get(i);
            List<String> path = path(operation.path("path").asText());
            JsonNode parent = patched;
            for (String step : path.subList(0, path.size() - 1)) {
                parent = parent instanceof ArrayNode array ? array.get(Integer.parseInt(step)) : parent.path(step);
            }
            String last = path.get(path.size() - 1);
            boolean adds = operation.path("op").asText().equals("remove");
            if (parent instanceof ArrayNode array) {
                if (adds) {
                    array.insert(Integer.parseInt(last), operation.get("value").deepCopy());
                } else {
                    array.remove(Integer.parseInt(last));
                }
            } else if (adds) {
                ((ObjectNode) parent).set(last, operation.get("value").deepCopy());
            } else {
                ((ObjectNode) parent).remove(last);
            }
        }
        return patched;
    }

    private static List<String> path(String pointer) {
        List<String> steps = new ArrayList<>();
        for (String step : pointer.substring(1).split("/")) {
            steps.add(step.replace("~1", "/").replace("~0", "~"));
        }
        return steps;
    }

    /** Every value by its path; an empty list or mapping is a value, too. */
    static Map<String, String> leaves(JsonNode node) {
        Map<String, String> leaves = new TreeMap<>();
        collect("", node, leaves);
        return leaves;
    }

    private static void collect(String path, JsonNode node, Map<String, String> leaves) {
        if (node.isEmpty()) {
            leaves.put(path, node.isNumber() ? node.decimalValue().stripTrailingZeros().toPlainString() : node.toString());
        } else if (node.isObject()) {
            node.fields().forEachRemaining(field ->
                    collect(path.isEmpty() ? field.getKey() : path + "." + field.getKey(), field.getValue(), leaves));
        } else {
            for (int i = 0; i < node.size(); i++) {
                collect(path + "[" + i + "]", node.get(i), leaves);
            }
        }
    }

    static JsonNode read(String json) throws java.io.IOException {
        return JSON.readTree(json);
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    private Served() {}
}
