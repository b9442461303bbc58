package io.weft.controlplane.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What the agent's jar does by itself, so that it works where only that jar is, and is the same here. */
final class AgentJar {
    private static final int WRONG_USE = 2;

    @Option(names = "--agent", paramLabel = "JAR", description = "The agent's jar. Default: the one of this checkout.")
    private Path jar;

    /** What it printed, and how it ended. */
    record Output(int exit, String text) {}

    /** @return exit status */
    int run(String command, List<String> arguments) throws IOException, InterruptedException {
        Optional<ProcessBuilder> process = process(command, arguments);
        return process.isEmpty() ? WRONG_USE : process.get().inheritIO().start().waitFor();
    }

    /** What it says of problems is this process's own. */
    Output ask(String command, List<String> arguments) throws IOException, InterruptedException {
        Optional<ProcessBuilder> process = process(command, arguments);
        if (process.isEmpty()) {
            return new Output(WRONG_USE, "");
        }
        Process started = process.get().redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String text = new String(started.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Output(started.waitFor(), text);
    }

    private Optional<ProcessBuilder> process(String command, List<String> arguments) {
        Path agent = jar != null ? jar : Path.of(System.getProperty("weft.home", "."), "agent/javaagent/target/weft-agent.jar");
        if (!Files.isRegularFile(agent)) {
            System.err.println("weft " + command + ": " + agent + " is not there. Name the agent's jar with --agent.");
            return Optional.empty();
        }
        List<String> words = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", agent.toString(), command));
        words.addAll(arguments);
        return Optional.of(new ProcessBuilder(words));
    }
}
