package io.weft.controlplane.injector;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Changes a document and writes down each change as an operation of RFC 6902. Not thread-safe. */
final class JsonPatch {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final ObjectNode document;
    private final ArrayNode operations = NODES.arrayNode();

    /** @param document is changed */
    JsonPatch(ObjectNode document) {
        this.document = document;
    }

    ArrayNode operations() {
        return operations;
    }

    /** Sets a member of an object, which is made where it is missing. */
    void put(String object, String name, JsonNode value) {
        ensure(object, NODES.objectNode());
        ((ObjectNode) document.at(object)).set(name, value);
        record("add", object + "/" + escape(name), value);
    }

    /** Adds to the end of an array, which is made where it is missing. */
    void append(String array, JsonNode value) {
        ensure(array, NODES.arrayNode());
        ((ArrayNode) document.at(array)).add(value);
        record("add", array + "/-", value);
    }

    /** Adds to an array, which is made where it is missing, in front of what is at the index. */
    void insert(String array, int index, JsonNode value) {
        ensure(array, NODES.arrayNode());
        ((ArrayNode) document.at(array)).insert(index, value);
        record("add", array + "/" + index, value);
    }

    /** @param index of what is there already */
    void replace(String array, int index, JsonNode value) {
        ((ArrayNode) document.at(array)).set(index, value);
        record("replace", array + "/" + index, value);
    }

    private void ensure(String pointer, JsonNode empty) {
        JsonNode there = document.at(pointer);
        if (there.isMissingNode() || there.isNull()) {
            JsonPointer path = JsonPointer.compile(pointer);
            ((ObjectNode) document.at(path.head())).set(path.last().getMatchingProperty(), empty);
            // What is written down must not grow with the document.
            record("add", pointer, empty.deepCopy());
        }
    }

    private void record(String operation, String path, JsonNode value) {
        operations.addObject().put("op", operation).put("path", path).set("value", value.deepCopy());
    }

    private static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
