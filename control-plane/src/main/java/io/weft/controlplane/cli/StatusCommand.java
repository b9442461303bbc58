package io.weft.controlplane.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weft status}. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Shows what the JVMs of this user that are in the mesh say of themselves: one line each, or everything of those that are named.",
            "",
            "A line has the service's version (its tag of that name), the agent's, whether a policy is in force (live), none yet (initializing) or"
                    + " the instance is about to go (draining), the connection to the control plane, how often the policy has changed, how many"
                    + " resources are refused, how long the certificate is valid, and the libraries in the mesh. One that does not answer within"
                    + " 5 s has a line that says so.",
            "",
            "Everything: the connection to the control plane, what was refused and what has no effect here, with the field's path; the ports and"
                    + " libraries in the mesh, and those left without it; clusters and endpoints with their requests; access rules.",
        },
        footer = {
            "",
            "Examples:",
            "  weft status --all                 everybody on this machine, and whom the control plane knows",
            "  weft status --all --json | jq -r 'select(.refused != []) | .pid // .node'",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:a process or the named control plane could not be asked, or there is none", "2:wrong usage"})
final class StatusCommand implements Callable<Integer> {

    private static final URI USUAL_PAGE = URI.create("http://127.0.0.1:5679/");
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LINE = "%-40s %-24s %-6s %-14s %8s %-9s %-8s %s%n";

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..*", paramLabel = "PID", description = "Process ids of JVMs.")
    private List<Long> pids = List.of();

    @Option(names = "--all", description = {
        "Every agent: those of all users of this machine whose sockets may be asked, those that run the agent and have no socket, and those"
                + " that the control plane knows.",
    })
    private boolean all;

    @Option(names = "--page", paramLabel = "URL", converter = PageUrl.class, description = {
        "With --all: the control plane's page. Default: http://127.0.0.1:5679/, if it is there.",
    })
    private URI page;

    @Option(names = "--verbose", description = "Everything of every JVM.")
    private boolean verbose;

    @Option(names = "--json", description = "Everything as JSON, one line for each JVM.")
    private boolean json;

    @Option(names = "--dir", paramLabel = "DIRECTORY", description = "The JVMs' weft.admin.dir. Default: as WEFT_ADMIN_DIR says, or /tmp/weft-USER.")
    private Path directory;

    @Mixin
    private AgentJar agent;

    @Override
    public Integer call() throws Exception {
        List<String> arguments = new ArrayList<>();
        pids.forEach(pid -> arguments.add(Long.toString(pid)));
        if (all) {
            arguments.add("--all");
        }
        if (verbose) {
            arguments.add("--verbose");
        }
        if (json) {
            arguments.add("--json");
        }
        if (directory != null) {
            arguments.addAll(List.of("--dir", directory.toString()));
        }
        int here = agent.run("status", arguments);
        return all ? Math.max(here, known()) : here;
    }

    /** Those that the control plane knows, wherever they run. */
    private int known() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        URI asked = page == null ? USUAL_PAGE : page;
        try {
            JsonNode agents = ask(asked);
            if (json) {
                for (JsonNode each : agents) {
                    out.println(((ObjectNode) each).put("controlPlane", asked.toString()));
                }
            } else {
                out.println();
                out.println("Known to the control plane at " + asked);
                out.printf(LINE, "NODE", "SERVICE", "KIND", "SOFTWARE", "PID", "POLICY", "IDENTITY", "REFUSED");
                agents.forEach(each -> out.printf(LINE, text(each, "node"), text(each, "service"), text(each, "kind"),
                        text(each, "version"), text(each, "pid"), text(each, "policy"), each.path("identity").asBoolean() ? "yes" : "-",
                        refused(each)));
            }
            out.flush();
            return 0;
        } catch (IOException problem) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("weft status: the control plane's page at " + asked + " does not say whom it knows (" + PageUrl.problem(problem)
                    + "); name it with --page");
            err.flush();
            return page == null ? 0 : 1;
        }
    }

    private static JsonNode ask(URI page) throws IOException, InterruptedException {
        HttpResponse<String> response = HttpClient.newBuilder().connectTimeout(PATIENCE).build().send(
                HttpRequest.newBuilder(page.resolve("/api/agents")).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("it answers " + response.statusCode() + ": " + response.body().strip());
        }
        return JSON.readTree(response.body());
    }

    private static String text(JsonNode agent, String field) {
        String text = agent.path(field).asText("");
        return text.isEmpty() ? "-" : text;
    }

    private static String refused(JsonNode agent) {
        List<String> refusals = new ArrayList<>();
        agent.path("refused").forEach(refusal -> refusals.add(refusal.path("type").asText() + ": " + refusal.path("message").asText()));
        return refusals.isEmpty() ? "-" : String.join("; ", refusals);
    }
}
