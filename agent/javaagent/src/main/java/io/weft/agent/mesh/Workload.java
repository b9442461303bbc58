package io.weft.agent.mesh;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.weft.agent.log.AgentLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a pod of a mesh of Istio knows of itself: by the claims of its token, which istiod compares what it is told with, and by the
 * variables and the file of labels that the container beside the app has in such a mesh, or by what that container wrote for gRPC.
 *
 * @param metadata of the node, by the variables {@code ISTIO_META_…} and {@code PROXY_CONFIG}, or by the bootstrap for gRPC
 */
record Workload(
        Optional<String> pod, Optional<String> namespace, Optional<String> serviceAccount, Map<String, String> labels,
        Map<String, Object> metadata) {

    private static final Path LABELS = Path.of("/etc/istio/pod/labels");
    private static final String METADATA_PREFIX = "ISTIO_META_";
    private static final String GENERATOR = METADATA_PREFIX + "GENERATOR";
    /** What the container beside the app says of itself, and its version: here it is the agent that does that. */
    private static final Set<String> OF_THE_PROXY = Set.of("GENERATOR", "ISTIO_VERSION", "INTERCEPTION_MODE", "DNS_CAPTURE");
    private static final JsonFactory JSON = new JsonFactory();

    /**
     * @param bootstrap the metadata of the node that it says this is; may be empty
     * @param token of the pod's service account; one that tells nothing is no error here
     */
    static Workload of(Map<String, String> environment, Map<String, Object> bootstrap, Optional<Path> token, AgentLog log) {
        Map<String, String> claims = claims(token, log);
        return new Workload(
                first(environment.get("POD_NAME"), claims.get("pod"), text(bootstrap, "NAME"), environment.get("HOSTNAME")),
                first(environment.get("POD_NAMESPACE"), claims.get("namespace"), text(bootstrap, "NAMESPACE")),
                first(environment.get("SERVICE_ACCOUNT"), claims.get("serviceaccount"), text(bootstrap, "SERVICE_ACCOUNT")),
                Files.isReadable(LABELS) ? labels(text(LABELS, log)) : labels(bootstrap.get("LABELS")),
                metadata(environment, bootstrap, log));
    }

    /** Of the token in a file, as below; one that cannot be read tells nothing. */
    static Map<String, String> claims(Optional<Path> token, AgentLog log) {
        return token.map(file -> claims(text(file, log))).orElse(Map.of());
    }

    private static String text(Map<String, Object> metadata, String name) {
        return metadata.get(name) instanceof String text ? text : null;
    }

    private static Map<String, String> labels(Object told) {
        Map<String, String> labels = new LinkedHashMap<>();
        if (told instanceof Map<?, ?> byName) {
            byName.forEach((name, value) -> labels.put((String) name, String.valueOf(value)));
        }
        return labels;
    }

    private static String text(Path file, AgentLog log) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            log.warn(file + " cannot be read: " + e + "; what it says of this process is not known");
            return "";
        }
    }

    private static Optional<String> first(String... texts) {
        for (String text : texts) {
            if (text != null && !text.isEmpty()) {
                return Optional.of(text);
            }
        }
        return Optional.empty();
    }

    private static Map<String, Object> metadata(Map<String, String> environment, Map<String, Object> bootstrap, AgentLog log) {
        Map<String, Object> metadata = new HashMap<>(bootstrap);
        metadata.keySet().removeAll(OF_THE_PROXY);
        String proxy = environment.get("PROXY_CONFIG");
        if (proxy != null && !proxy.isBlank()) {
            try {
                metadata.put("PROXY_CONFIG", JsonTree.object(proxy));
            } catch (IOException e) {
                log.warn("PROXY_CONFIG " + e.getMessage() + "; istiod is not told what it says");
            }
        }
        environment.forEach((name, value) -> {
            if (name.equals(GENERATOR)) {
                log.warn(GENERATOR + " is not handed on: what istiod has for gRPC is nothing without names to ask for; "
                        + "this process joins as a sidecar");
            } else if (name.startsWith(METADATA_PREFIX)) {
                metadata.put(name.substring(METADATA_PREFIX.length()), value);
            }
        });
        return metadata;
    }

    /** Lines of {@code name="value"}, the value in Go's quotes, as the downward API writes them. */
    static Map<String, String> labels(String text) {
        Map<String, String> labels = new LinkedHashMap<>();
        text.lines().forEach(line -> {
            int equals = line.indexOf('=');
            // No label needs an escape.
            if (equals > 0 && line.length() >= equals + 3 && line.charAt(equals + 1) == '"' && line.endsWith("\"")) {
                labels.put(line.substring(0, equals), line.substring(equals + 2, line.length() - 1));
            }
        });
        return labels;
    }

    /**
     * Of a token that Kubernetes has issued for a pod, the names of the namespace, the pod and the service account. It is not checked:
     * it says who this process is, to whom it is about to be sent.
     */
    static Map<String, String> claims(String token) {
        String[] parts = token.strip().split("\\.");
        if (parts.length != 3) {
            return Map.of();
        }
        Map<String, String> claims = new HashMap<>();
        try (JsonParser json = JSON.createParser(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8))) {
            while (json.nextToken() != null) {
                if (json.currentToken() == JsonToken.VALUE_STRING) {
                    String path = json.getParsingContext().pathAsPointer().toString();
                    switch (path) {
                        case "/kubernetes.io/namespace" -> claims.put("namespace", json.getText());
                        case "/kubernetes.io/pod/name" -> claims.put("pod", json.getText());
                        case "/kubernetes.io/serviceaccount/name" -> claims.put("serviceaccount", json.getText());
                        case "/sub" -> subject(json.getText(), claims);
                        default -> { }
                    }
                }
            }
        } catch (IOException | IllegalArgumentException notJson) {
            // A token of another form is one that says nothing.
            return Map.of();
        }
        return claims;
    }

    /** {@code system:serviceaccount:<namespace>:<name>}. */
    private static void subject(String subject, Map<String, String> claims) {
        String[] parts = subject.split(":");
        if (parts.length == 4 && parts[0].equals("system") && parts[1].equals("serviceaccount")) {
            claims.putIfAbsent("namespace", parts[2]);
            claims.putIfAbsent("serviceaccount", parts[3]);
        }
    }
}
