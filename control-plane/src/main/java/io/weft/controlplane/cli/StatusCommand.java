package io.weft.controlplane.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft status}. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = {
            "What the JVMs of this user that are in the mesh say of themselves: one line each, or everything of those that are named.",
            "",
            "Everything: the connection to the control plane, what was refused and what has no effect here, with the field's path; the",
            "ports and libraries in the mesh, and those left without it; clusters and endpoints with their requests; access rules.",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:a process could not be asked, or there is none", "2:wrong usage"})
final class StatusCommand implements Callable<Integer> {

    @Parameters(arity = "0..*", paramLabel = "PID", description = "Process ids of JVMs.")
    private List<Long> pids = List.of();

    @Option(names = "--all", description = "Everything of every JVM.")
    private boolean all;

    @Option(names = "--json", description = "Everything as JSON, one line for each JVM.")
    private boolean json;

    @Option(names = "--dir", paramLabel = "DIRECTORY", description = "The JVMs' weft.admin.dir. Default: /tmp/weft-USER.")
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
        if (json) {
            arguments.add("--json");
        }
        if (directory != null) {
            arguments.addAll(List.of("--dir", directory.toString()));
        }
        return agent.run("status", arguments);
    }
}
