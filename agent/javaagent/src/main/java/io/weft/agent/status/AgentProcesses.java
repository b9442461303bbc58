package io.weft.agent.status;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The JVMs of this machine that were started with the agent, as far as their command lines and environments may be read. */
final class AgentProcesses {
    private static final String[] OPTIONS = {"JAVA_TOOL_OPTIONS=", "JDK_JAVA_OPTIONS="};

    private AgentProcesses() {}

    /** In order, without this one. */
    static List<Long> pids() {
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                // What is in an environment is inherited by programs of every kind.
                .filter(process -> process.info().command().map(command -> command.endsWith("/java")).orElse(false))
                .filter(process -> options(process).anyMatch(AgentProcesses::isAgent))
                .map(ProcessHandle::pid)
                .sorted()
                .toList();
    }

    /** Whether that process sees other files than this one, as far as that may be known: its {@code /tmp} may be another. */
    static boolean hasOtherFiles(long pid) {
        try {
            return !files(Long.toString(pid)).equals(files("self"));
        } catch (IOException unreadable) {
            return false;
        }
    }

    /** Linux's name for them. */
    private static Path files(String process) throws IOException {
        return Files.readSymbolicLink(Path.of("/proc", process, "ns", "mnt"));
    }

    private static Stream<String> options(ProcessHandle process) {
        return Stream.concat(
                Arrays.stream(process.info().arguments().orElse(new String[0])).filter(word -> word.startsWith("-javaagent:")),
                environment(process.pid()).filter(entry -> Arrays.stream(OPTIONS).anyMatch(entry::startsWith)));
    }

    private static boolean isAgent(String option) {
        int agent = option.indexOf("-javaagent:");
        return agent >= 0 && option.indexOf("weft-agent", agent) > agent;
    }

    private static Stream<String> environment(long pid) {
        try {
            return Arrays.stream(Files.readString(Path.of("/proc", Long.toString(pid), "environ"), StandardCharsets.ISO_8859_1).split("\0"));
        } catch (IOException unreadable) {
            // Another user's, one that has just ended, or a system without such files.
            return Stream.empty();
        }
    }
}
