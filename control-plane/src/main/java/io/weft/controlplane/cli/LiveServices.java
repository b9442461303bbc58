package io.weft.controlplane.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.controlplane.policy.References.Known;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Who runs now, as a control plane's page says. */
final class LiveServices {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final ObjectMapper JSON = new ObjectMapper();

    private LiveServices() {}

    static Known of(URI page) throws IOException, InterruptedException {
        HttpResponse<String> response = HttpClient.newBuilder().connectTimeout(PATIENCE).build().send(
                HttpRequest.newBuilder(page.resolve("/api/mesh")).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("it answers " + response.statusCode() + ": " + response.body().strip());
        }
        Map<String, Map<String, List<Map<String, String>>>> meshes = new TreeMap<>();
        for (JsonNode mesh : JSON.readTree(response.body()).path("meshes")) {
            Map<String, List<Map<String, String>>> services = new TreeMap<>();
            for (JsonNode service : mesh.path("services")) {
                List<Map<String, String>> instances = new ArrayList<>();
                service.path("instances").forEach(instance -> instances.add(tags(instance.path("tags"))));
                // One without that is called is there because somebody names it; the others call.
                if (!instances.isEmpty() || !service.path("called").asBoolean()) {
                    services.put(service.path("name").asText(), instances);
                }
            }
            if (!services.isEmpty()) {
                meshes.put(mesh.path("name").asText(), services);
            }
        }
        // A control plane that has just started knows nobody yet.
        return new Known(meshes, !meshes.isEmpty());
    }

    private static Map<String, String> tags(JsonNode fields) {
        Map<String, String> tags = new TreeMap<>();
        fields.properties().forEach(tag -> tags.put(tag.getKey(), tag.getValue().asText()));
        return tags;
    }
}
