package io.weft.controlplane.cli;

import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.ca.RootSet;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "ca",
        description = "Works on the certificate authorities that a control plane made.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = CaCommand.Rotate.class)
final class CaCommand {

    @Command(
            name = "rotate",
            description = {
                "Begins to replace the root of a mesh.",
                "",
                "The new root is trusted at once, signs after --overlap, and the old one is trusted for as long as any certificate that"
                        + " it signed may live. The control plane does all of it by itself; no request is lost.",
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:the rotation has begun", "1:it has not; the reason is on stderr", "2:wrong usage"})
    static final class Rotate implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Mixin
        private StateFolder folder;

        @Option(names = "--mesh", paramLabel = "NAME", defaultValue = "default", description = "Default: ${DEFAULT-VALUE}.")
        private String mesh;

        @Option(
                names = "--overlap",
                paramLabel = "TIME",
                defaultValue = "24h",
                description = "How long the new root is trusted before it signs: longer than any workload may be out of contact with"
                        + " the control plane. Default: ${DEFAULT-VALUE}.")
        private Duration overlap;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            try {
                RootSet roots = new RootFile(folder.path(), mesh).rotate(Instant.now(), overlap);
                out.println("mesh " + mesh + ": " + roots.bundle().size() + " roots are trusted; the new one signs from "
                        + roots.next().orElseThrow().signsFrom());
            } catch (IOException | IllegalStateException e) {
                spec.commandLine().getErr().println("weft ca rotate: " + e.getMessage());
                return 1;
            }
            out.flush();
            return 0;
        }
    }
}
