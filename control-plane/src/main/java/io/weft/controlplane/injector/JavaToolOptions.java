package io.weft.controlplane.injector;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * Appends to a container's {@code JAVA_TOOL_OPTIONS}, wherever they come from: a value, a reference, or {@code envFrom}.
 *
 * <p>Kubernetes gives a container first what {@code envFrom} names, then {@code env} in its order, and expands {@code $(NAME)} in a
 * value only if {@code NAME} is defined by then. Otherwise it stays as it is written, which no JVM starts with. So nothing is
 * referred to that may not be there. And nothing is copied that somebody else has written into a config map: who gets the pod to see need
 * not be allowed to read that.
 */
final class JavaToolOptions {

    static final String NAME = "JAVA_TOOL_OPTIONS";
    /** What was a reference. Not {@code WEFT_…}, which are settings of the agent. */
    static final String REFERENCE = "APP_JAVA_TOOL_OPTIONS";

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final JsonPatch patch;
    private final ConfigMaps configMaps;
    private final String option;

    /** @param option without white space */
    JavaToolOptions(JsonPatch patch, ConfigMaps configMaps, String option) {
        this.patch = patch;
        this.configMaps = configMaps;
        this.option = option;
    }

    /**
     * @param pointer of the container
     * @param stated what the operator says that {@code envFrom} gives; empty: it is to be looked up
     * @throws LeftAloneException it cannot be done safely; nothing has been changed
     */
    void append(JsonNode container, String pointer, String namespace, Optional<String> stated) throws LeftAloneException {
        String name = container.path("name").asText();
        JsonNode variables = container.path("env");
        int last = -1;
        for (int i = 0; i < variables.size(); i++) {
            if (variables.get(i).path("name").asText().equals(NAME)) {
                last = i;
            }
        }
        if (last < 0) {
            Optional<ObjectNode> source = stated.isPresent() ? Optional.empty() : source(container, name, namespace);
            if (source.isPresent()) {
                demandNoReference(variables, name);
                patch.append(pointer + "/env", source.get());
                patch.append(pointer + "/env", variable("$(" + REFERENCE + ") " + option));
            } else {
                patch.append(pointer + "/env", variable(appended(stated.orElse(""), name)));
            }
            return;
        }
        ObjectNode there = (ObjectNode) variables.get(last);
        if (!there.hasNonNull("valueFrom")) {
            ObjectNode longer = there.deepCopy();
            longer.put("value", appended(there.path("value").asText(""), name));
            patch.replace(pointer + "/env", last, longer);
            return;
        }
        demandDefined(there.path("valueFrom"), name);
        demandNoReference(variables, name);
        ObjectNode renamed = there.deepCopy();
        renamed.put("name", REFERENCE);
        patch.replace(pointer + "/env", last, renamed);
        patch.insert(pointer + "/env", last + 1, variable("$(" + REFERENCE + ") " + option));
    }

    /** Whether the last variable of that name has the option already. */
    boolean isIn(JsonNode container) {
        boolean found = false;
        for (JsonNode variable : container.path("env")) {
            if (variable.path("name").asText().equals(NAME)) {
                found = variable.path("value").asText("").contains(option);
            }
        }
        return found;
    }

    private static ObjectNode variable(String value) {
        return NODES.objectNode().put("name", NAME).put("value", value);
    }

    private String appended(String before, String container) throws LeftAloneException {
        if (endsInQuotes(before)) {
            throw new LeftAloneException("container " + container + ": a quote in " + NAME + " is not closed");
        }
        return before.isBlank() ? option : before + " " + option;
    }

    /** As the JVM reads it: a quote of one kind is closed by the same kind, and nothing escapes one. */
    private static boolean endsInQuotes(String options) {
        char open = 0;
        for (int i = 0; i < options.length(); i++) {
            char c = options.charAt(i);
            if (open != 0) {
                open = c == open ? 0 : open;
            } else if (c == '"' || c == '\'') {
                open = c;
            }
        }
        return open != 0;
    }

    private static void demandNoReference(JsonNode variables, String container) throws LeftAloneException {
        for (JsonNode variable : variables) {
            if (variable.path("name").asText().equals(REFERENCE)) {
                throw new LeftAloneException("container " + container + " has a variable " + REFERENCE + " of its own; rename it");
            }
        }
    }

    private static void demandDefined(JsonNode reference, String container) throws LeftAloneException {
        if (reference.has("fieldRef") || reference.has("resourceFieldRef")) {
            return;
        }
        for (String kind : new String[] {"configMapKeyRef", "secretKeyRef"}) {
            if (reference.has(kind)) {
                if (reference.path(kind).path("optional").asBoolean()) {
                    throw new LeftAloneException("container " + container + " takes " + NAME + " from an optional " + kind
                            + ", to which nothing can be appended if it is not there; make it not optional, or write the value itself");
                }
                return;
            }
        }
        throw new LeftAloneException("container " + container + " takes " + NAME + " from a kind of valueFrom that is not known here;"
                + " write the value itself");
    }

    /** A reference to what {@code envFrom} gives, of whose sources the last one that has it counts; empty: none has it. */
    private Optional<ObjectNode> source(JsonNode container, String name, String namespace) throws LeftAloneException {
        Optional<ObjectNode> found = Optional.empty();
        for (JsonNode source : container.path("envFrom")) {
            String prefix = source.path("prefix").asText("");
            if (!NAME.startsWith(prefix) || prefix.equals(NAME)) {
                continue;
            }
            if (!source.has("configMapRef")) {
                String secret = source.path("secretRef").path("name").asText("");
                throw new LeftAloneException("container " + name + " takes variables from "
                        + (secret.isEmpty() ? "a source" : "Secret " + secret) + ", where " + NAME + " may be, and which is not read; give"
                        + " the pod the annotation " + PodInjection.OPTIONS + " with their value, which may be empty");
            }
            String key = NAME.substring(prefix.length());
            if (keys(source.path("configMapRef"), name, namespace).contains(key)) {
                ObjectNode variable = NODES.objectNode().put("name", REFERENCE);
                ObjectNode reference = variable.putObject("valueFrom").putObject("configMapKeyRef");
                reference.put("name", source.path("configMapRef").path("name").asText("")).put("key", key);
                found = Optional.of(variable);
                if (source.path("configMapRef").path("optional").asBoolean()) {
                    throw new LeftAloneException("container " + name + " takes " + NAME + " from an optional configMapRef, to which nothing"
                            + " can be appended if it is not there; make it not optional, or write the value itself");
                }
            }
        }
        return found;
    }

    private Set<String> keys(JsonNode reference, String container, String namespace) throws LeftAloneException {
        String name = reference.path("name").asText("");
        String problem;
        try {
            Optional<Set<String>> keys = configMaps.keys(namespace, name);
            if (keys.isPresent() || reference.path("optional").asBoolean()) {
                return keys.orElse(Set.of());
            }
            problem = "does not exist yet";
        } catch (IOException e) {
            problem = "cannot be read: " + e.getMessage();
        }
        throw new LeftAloneException("container " + container + " takes variables from ConfigMap " + name + ", where " + NAME
                + " may be, and which " + problem + "; give the pod the annotation " + PodInjection.OPTIONS
                + " with their value, which may be empty");
    }
}
