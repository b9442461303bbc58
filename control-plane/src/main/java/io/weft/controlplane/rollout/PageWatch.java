package io.weft.controlplane.rollout;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.controlplane.rollout.Rollout.Observed;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;

/** Asks a control plane by the JSON interface of its page. */
public final class PageWatch implements Rollout.Watch {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long REPORT_MILLIS = 5_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI page;
    private final HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    /** @param page as {@code http://127.0.0.1:5679/} */
    public PageWatch(URI page) {
        this.page = page;
    }

    @Override
    public long now() throws IOException {
        return get("api/observed", Map.of()).path("now").asLong();
    }

    /**
     * What was reported in the step of the report in which the requests began may be of before: the one after it is the first that counts.
     */
    @Override
    public Observed since(String mesh, String service, String version, long moment) throws IOException {
        JsonNode answer = get("api/observed", Map.of("mesh", mesh, "service", service, "version", version, "since",
                Long.toString(moment + REPORT_MILLIS)));
        JsonNode p99 = answer.path("p99Millis");
        return new Observed(answer.path("requests").asLong(), answer.path("errors").asLong(), answer.path("refused").asLong(),
                p99.isNumber() ? OptionalDouble.of(p99.asDouble()) : OptionalDouble.empty());
    }

    @Override
    public Optional<String> refusal(String mesh, String service) throws IOException {
        JsonNode view = get("api/mesh", Map.of());
        for (JsonNode each : view.path("meshes")) {
            if (!each.path("name").asText().equals(mesh)) {
                continue;
            }
            String policy = "";
            for (JsonNode rollout : each.path("rollouts")) {
                if (rollout.path("service").asText().equals(service)) {
                    policy = rollout.path("policy").asText();
                }
            }
            for (JsonNode known : each.path("policies")) {
                if (known.path("type").asText().matches("MeshHTTPRoute|MeshTCPRoute") && known.path("name").asText().equals(policy)) {
                    if (known.path("outdated").asBoolean()) {
                        return Optional.of("the control plane refuses policy " + policy + "; its page says why");
                    }
                    if (!known.path("refusedBy").isEmpty()) {
                        return Optional.of("policy " + policy + " is refused by " + known.path("refusedBy").get(0).asText());
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Of the instances that are connected, each once. */
    public List<String> versions(String mesh, String service) throws IOException {
        Set<String> versions = new TreeSet<>();
        for (JsonNode each : get("api/mesh", Map.of()).path("meshes")) {
            for (JsonNode known : each.path("services")) {
                if (each.path("name").asText().equals(mesh) && known.path("name").asText().equals(service)) {
                    known.path("instances").forEach(instance -> versions.add(instance.path("version").asText()));
                }
            }
        }
        versions.remove("");
        return List.copyOf(versions);
    }

    /** Those that have an instance. */
    public List<String> services(String mesh) throws IOException {
        List<String> services = new ArrayList<>();
        for (JsonNode each : get("api/mesh", Map.of()).path("meshes")) {
            for (JsonNode known : each.path("services")) {
                if (each.path("name").asText().equals(mesh) && !known.path("instances").isEmpty()) {
                    services.add(known.path("name").asText());
                }
            }
        }
        return services;
    }

    private JsonNode get(String path, Map<String, String> query) throws IOException {
        StringJoiner joined = new StringJoiner("&", "?", "");
        query.forEach((name, value) -> joined.add(name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8)));
        try {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(page.resolve(path + joined)).timeout(PATIENCE).build(),
                    HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IOException("it answers " + response.statusCode() + " to " + path + ": " + response.body());
            }
            return JSON.readTree(response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (IOException e) {
            throw new IOException("the control plane's page at " + page + " cannot be asked: "
                    + (e.getMessage() == null ? "nobody answers" : e.getMessage()) + "; name it with --page", e);
        }
    }
}
