package io.weft.controlplane.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.envoy.admin.v3.ConfigDump;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weft config-dump}. */
@Command(
        name = "config-dump",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Prints what a JVM has of its control plane, in the form of an Envoy's /config_dump?include_eds, for tools that read that. Of secrets"
                    + " there are the certificates, no keys; what is of a type that is not Envoy's has its type only.",
        },
        footer = {
            "",
            "Examples:",
            "  weft config-dump 4711 | istioctl proxy-config clusters -f -",
            "  kubectl exec POD -- java -jar /weft/weft-agent.jar config-dump | weft config-dump -f - > dump.json",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:the process could not be asked, or what it said not be read", "2:wrong usage"})
final class ConfigDumpCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "PID", description = "Process id of the JVM, as weft status lists them; not needed where there is one.")
    private Long pid;

    @Option(names = {"-f", "--file"}, paramLabel = "FILE", description = {
        "What the agent's own config-dump said, where only its jar is; - for the standard input.",
    })
    private Path file;

    @Option(names = "--dir", paramLabel = "DIRECTORY", description = "The JVM's weft.admin.dir. Default: as WEFT_ADMIN_DIR says, or /tmp/weft-USER.")
    private Path directory;

    @Mixin
    private AgentJar agent;

    @Override
    public Integer call() throws Exception {
        if (file != null && (pid != null || directory != null)) {
            throw new ParameterException(spec.commandLine(), "a file says all that there is: name no process beside it");
        }
        AgentJar.Output said = file == null ? agent.ask("config-dump", asked()) : new AgentJar.Output(0, text());
        List<String> dumps = said.text().lines().filter(line -> !line.isBlank()).toList();
        if (said.exit() != 0) {
            return said.exit();
        }
        if (dumps.size() != 1) {
            return failed(dumps.isEmpty() ? "there is nothing in " + file
                    : dumps.size() + " JVMs are in the mesh here: name one by its process id, as weft status lists them");
        }
        try {
            spec.commandLine().getOut().print(new EnvoyJson().of(ConfigDump.parseFrom(Base64.getDecoder().decode(dumps.get(0).strip()))));
        } catch (IllegalArgumentException | InvalidProtocolBufferException unreadable) {
            return failed("this is not what the agent's config-dump says: " + unreadable.getMessage());
        }
        spec.commandLine().getOut().flush();
        return 0;
    }

    private List<String> asked() {
        List<String> arguments = new ArrayList<>();
        if (pid != null) {
            arguments.add(Long.toString(pid));
        }
        if (directory != null) {
            arguments.addAll(List.of("--dir", directory.toString()));
        }
        return arguments;
    }

    private String text() throws IOException {
        byte[] bytes = file.toString().equals("-") ? System.in.readAllBytes() : Files.readAllBytes(file);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private int failed(String problem) {
        spec.commandLine().getErr().println("weft config-dump: " + problem);
        spec.commandLine().getErr().flush();
        return 1;
    }
}
