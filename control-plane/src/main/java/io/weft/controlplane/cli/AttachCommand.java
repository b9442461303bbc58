package io.weft.controlplane.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weft attach}. */
@Command(
        name = "attach",
        mixinStandardHelpOptions = true,
        description = "Brings a running JVM into the mesh.",
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

    @Mixin
    private AgentJar agent;

    @Override
    public Integer call() throws Exception {
        List<String> arguments = new ArrayList<>(List.of(Long.toString(pid)));
        arguments.addAll(settings);
        return agent.run("attach", arguments);
    }
}
