package io.weft.controlplane.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft explain}. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = {
            "Where a request of a JVM of this user would go: virtual host, route, clusters and endpoints. Nothing is sent.",
            "",
            "As in: weft explain GET http://orders/items -H 'x-canary: yes'",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:a process could not be asked, or there is none", "2:wrong usage"})
final class ExplainCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "METHOD", description = "As GET.")
    private String method;

    @Parameters(index = "1", paramLabel = "URL", description = "As the app would write it.")
    private String url;

    @Option(names = "-H", paramLabel = "'NAME: VALUE'", description = "A header of the request.")
    private List<String> headers = List.of();

    @Option(names = "--pid", paramLabel = "PID", description = "Process id of the JVM. Default: every one that is in the mesh.")
    private Long pid;

    @Option(names = "--json", description = "As JSON, one line for each JVM.")
    private boolean json;

    @Option(names = "--dir", paramLabel = "DIRECTORY", description = "The JVMs' weft.admin.dir. Default: /tmp/weft-USER.")
    private Path directory;

    @Mixin
    private AgentJar agent;

    @Override
    public Integer call() throws Exception {
        List<String> arguments = new ArrayList<>();
        if (pid != null) {
            arguments.add(Long.toString(pid));
        }
        arguments.add(method);
        arguments.add(url);
        headers.forEach(header -> arguments.addAll(List.of("-H", header)));
        if (json) {
            arguments.add("--json");
        }
        if (directory != null) {
            arguments.addAll(List.of("--dir", directory.toString()));
        }
        return agent.run("explain", arguments);
    }
}
