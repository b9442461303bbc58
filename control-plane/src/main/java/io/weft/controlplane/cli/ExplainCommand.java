package io.weft.controlplane.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weft explain}. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Says where a request of a JVM of this user would go: virtual host, route, clusters and endpoints, and whether by mesh TLS or in plaintext."
                    + " Nothing is sent.",
        },
        footer = {
            "",
            "Examples:",
            "  weft explain GET http://orders/items -H 'x-canary: yes'    of every JVM that is in the mesh",
            "  weft explain 4711 GET http://orders/items                  of this one",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:a process could not be asked, or there is none", "2:wrong usage"})
final class ExplainCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "2..3",
            paramLabel = "[PID] METHOD URL",
            hideParamSyntax = true,
            description = {
                "Process id of the JVM, as weft status lists them; without it every one that is in the mesh.",
                "Then the request: method, as GET, and URL, as the app would write it.",
            })
    private List<String> request = List.of();

    @Option(names = "-H", paramLabel = "'NAME: VALUE'", description = "A header of the request. May be repeated.")
    private List<String> headers = List.of();

    @Option(names = "--json", description = "As JSON, one line for each JVM.")
    private boolean json;

    @Option(names = "--dir", paramLabel = "DIRECTORY", description = "The JVMs' weft.admin.dir. Default: as WEFT_ADMIN_DIR says, or /tmp/weft-USER.")
    private Path directory;

    @Mixin
    private AgentJar agent;

    @Override
    public Integer call() throws Exception {
        if (request.size() == 3 && !request.get(0).matches("\\d{1,18}")) {
            throw new ParameterException(spec.commandLine(), "'" + request.get(0) + "' is no process id");
        }
        if (request.size() == 2 && request.get(0).matches("\\d+")) {
            throw new ParameterException(spec.commandLine(), "'" + request.get(0) + "' is no method; it is: weft explain [PID] METHOD URL");
        }
        List<String> arguments = new ArrayList<>(request);
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
