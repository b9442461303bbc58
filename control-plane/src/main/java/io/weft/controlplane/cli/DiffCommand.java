package io.weft.controlplane.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.References;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "diff",
        description = {
            "Says what a folder of policies would change, per service, if it were the control plane's, before it is.",
            "",
            "It is compared with what is in force, for the data planes that are connected now: first what would change for them, in words, then"
                    + " which of their listeners, routes, clusters and endpoints would differ, and where. Nothing is changed. Problems go to stderr, each as FILE:LINE: FIELD: MESSAGE.",
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {"", "Example: weft diff ./proposed"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:it was compared", "1:it was not, or a document would be refused; the reason is on stderr", "2:wrong usage"})
final class DiffCommand implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final int BUSY = 503;
    /** Of one resource: what it means is said above. */
    private static final int MOST_LINES = 12;
    private static final ObjectMapper JSON = new ObjectMapper();

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FOLDER", description = "Folder of *.yaml and *.yml files.")
    private Path folder;

    @Option(names = "--page", paramLabel = "URL", converter = PageUrl.class, defaultValue = "http://127.0.0.1:5679/",
            description = "The control plane's page. Default: ${DEFAULT-VALUE}.")
    private URI page;

    @Option(names = "--json", description = "Print one JSON object instead.")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            if (!Files.isDirectory(folder)) {
                throw new IOException(folder + " is not a folder");
            }
            List<SourceText> files = new FolderReader(folder).read();
            JsonNode diff = ask(files);
            PolicySet proposed = new PolicyHistory(new ResourceParser()).update(files.stream()
                    .map(file -> file.named(folder.resolve(file.name()).toString()))
                    .toList());
            List<Problem> warnings = References.unmet(proposed, LiveServices.of(page)).stream().map(References.Unmet::problem).toList();
            if (json) {
                out.println(((ObjectNode) diff).set("warnings", JSON.valueToTree(warnings)));
            } else {
                print(diff, out);
                diff.path("problems").forEach(problem -> err.println(problem(problem)));
                warnings.forEach(warning -> err.println(warning.file() + ":" + warning.line() + ": warning: " + warning.message()));
            }
            out.flush();
            err.flush();
            return diff.path("problems").isEmpty() ? 0 : 1;
        } catch (IOException e) {
            err.println("weft diff: " + e.getMessage());
            return 1;
        }
    }

    private JsonNode ask(List<SourceText> texts) throws IOException, InterruptedException {
        List<Map<String, String>> files = new ArrayList<>();
        for (SourceText file : texts) {
            if (file.failure().isPresent()) {
                throw new IOException(folder.resolve(file.name()) + ": " + file.failure().get().message());
            }
            files.add(Map.of("name", file.name(), "text", file.text().orElse("")));
        }
        byte[] body = JSON.writeValueAsBytes(Map.of("files", files));
        long begun = System.nanoTime();
        HttpResponse<String> response = send(body);
        // It compares for one at a time.
        while (response.statusCode() == BUSY && System.nanoTime() - begun < PATIENCE.toNanos()) {
            Thread.sleep(PAUSE.toMillis());
            response = send(body);
        }
        if (response.statusCode() != 200) {
            throw new IOException("the control plane answers " + response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    private HttpResponse<String> send(byte[] body) throws IOException, InterruptedException {
        try {
            return HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build().send(
                    HttpRequest.newBuilder(page.resolve("/api/diff"))
                            .timeout(PATIENCE)
                            .header("content-type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new IOException("the control plane's page at " + page + " does not answer (" + PageUrl.problem(e) + "); name it with --page", e);
        }
    }

    private static void print(JsonNode diff, PrintWriter out) {
        if (diff.path("policies").isEmpty()) {
            out.println("No policy would change.");
        }
        diff.path("policies").forEach(policy -> out.println(policy.asText()));
        for (JsonNode mesh : diff.path("meshes")) {
            out.println();
            out.println("mesh " + mesh.path("name").asText());
            if (mesh.path("identities").asBoolean()) {
                out.println("  identities or trust would change; what follows is without that");
            }
            // Each instance of a service may have a resource of its own, and the same is said of them all.
            Set<String> sentences = new LinkedHashSet<>();
            mesh.path("changes").forEach(change -> change.path("summary").forEach(sentence -> sentences.add(sentence.asText())));
            sentences.forEach(sentence -> out.println("  " + sentence));
            out.println();
            for (JsonNode change : mesh.path("changes")) {
                List<String> services = new ArrayList<>();
                change.path("services").forEach(service -> services.add(service.asText()));
                out.println("  " + String.join(", ", services) + ": " + change.path("resource").asText());
                List<String> lines = new ArrayList<>();
                change.path("lines").forEach(line -> lines.add(line.asText()));
                print(lines, out);
            }
        }
        if (!diff.path("policies").isEmpty() && diff.path("meshes").isEmpty()) {
            out.println("Nothing would change for the data planes that are connected.");
        }
    }

    /** Of a resource that comes or goes as a whole every field is listed, which says no more than that it does. */
    private static void print(List<String> lines, PrintWriter out) {
        for (String sign : List.of("+", "-")) {
            if (lines.stream().allMatch(line -> line.startsWith(sign))
                    && lines.stream().anyMatch(line -> line.startsWith(sign + " name: ") || line.startsWith(sign + " cluster_name: "))) {
                out.println("    " + sign + " all of it (--json has the " + lines.size() + (lines.size() == 1 ? " field)" : " fields)"));
                return;
            }
        }
        lines.stream().limit(MOST_LINES).forEach(line -> out.println("    " + line));
        if (lines.size() > MOST_LINES) {
            out.println("    … and " + (lines.size() - MOST_LINES) + " more (--json has them)");
        }
    }

    private String problem(JsonNode problem) {
        StringBuilder text = new StringBuilder(folder.resolve(problem.path("file").asText()).toString());
        if (problem.path("line").asInt() > 0) {
            text.append(':').append(problem.path("line").asInt());
        }
        text.append(": ");
        if (!problem.path("field").asText().isEmpty()) {
            text.append(problem.path("field").asText()).append(": ");
        }
        return text.append(problem.path("message").asText()).toString();
    }
}
