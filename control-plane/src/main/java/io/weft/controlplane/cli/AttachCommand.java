package io.weft.controlplane.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weft attach}: the agent's jar does it, so that it works without this program too. */
@Command(
        name = "attach",
        mixinStandardHelpOptions = true,
        description = "Bring a running JVM into the mesh.",
        footer = {"", "Example: weft attach 4711 control-plane=grpc://127.0.0.1:5678 service=orders tags=version=v1"})
final class AttachCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "PID", description = "Process id of the JVM; jps lists them.")
    private long pid;

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "SETTING=VALUE",
            description = "Settings of the agent, without their prefix weft.; java -jar weft-agent.jar --help lists them.")
    private List<String> settings = List.of();

    @Option(names = "--agent", paramLabel = "JAR", description = "The agent's jar. Default: the one of this checkout.")
    private Path agent;

    @Override
    public Integer call() throws Exception {
        Path jar = agent != null ? agent : Path.of(System.getProperty("weft.home", "."), "agent/javaagent/target/weft-agent.jar");
        if (!Files.isRegularFile(jar)) {
            System.err.println("weft attach: " + jar + " is not there. Name the agent's jar with --agent.");
            return 2;
        }
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", jar.toString(), "attach", Long.toString(pid)));
        command.addAll(settings);
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
