package io.weft.controlplane.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What the agent's jar does by itself, so that it works where only that jar is, and is the same here. */
final class AgentJar {

    @Option(names = "--agent", paramLabel = "JAR", description = "The agent's jar. Default: the one of this checkout.")
    private Path jar;

    /** @return exit status */
    int run(String command, List<String> arguments) throws IOException, InterruptedException {
        Path agent = jar != null ? jar : Path.of(System.getProperty("weft.home", "."), "agent/javaagent/target/weft-agent.jar");
        if (!Files.isRegularFile(agent)) {
            System.err.println("weft " + command + ": " + agent + " is not there. Name the agent's jar with --agent.");
            return 2;
        }
        List<String> words = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", agent.toString(), command));
        words.addAll(arguments);
        return new ProcessBuilder(words).inheritIO().start().waitFor();
    }
}
