package io.weft.controlplane.cli;

import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "policy",
        description = "Works on policy files.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = PolicyCommand.Check.class)
final class PolicyCommand {

    @Command(
            name = "check",
            description = {
                "Says which documents of a folder are in order, as a control plane would read them.",
                "",
                "Problems go to stderr, each as FILE:LINE: FIELD: MESSAGE.",
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:all documents are in order", "1:there are problems", "2:wrong usage"})
    static final class Check implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Parameters(paramLabel = "FOLDER", description = "Folder of *.yaml and *.yml files.")
        private Path folder;

        @Option(names = "--json", description = "Print one JSON object instead.")
        private boolean json;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            PrintWriter err = spec.commandLine().getErr();
            PolicySet set;
            try {
                if (!Files.isDirectory(folder)) {
                    throw new IOException("is not a folder");
                }
                set = new PolicyHistory(new ResourceParser()).update(new FolderReader(folder).read());
            } catch (IOException e) {
                err.println("weft policy check: " + folder + ": " + e.getMessage());
                return 1;
            }
            if (json) {
                out.println(Json.line(report(set)));
            } else {
                set.inForce().forEach(document -> out.println(
                        folder.resolve(document.file()) + ":" + document.line() + ": "
                                + document.resource().metadata().id() + ": ok"
                                + (document.resource().metadata().shadow() ? ", a shadow: not applied" : "")));
                out.println(set.inForce().size() + " in order, " + set.problems().size() + " problems");
                set.problems().forEach(problem -> err.println(located(problem)));
            }
            out.flush();
            err.flush();
            return set.problems().isEmpty() ? 0 : 1;
        }

        private Problem located(Problem problem) {
            return new Problem(
                    folder.resolve(problem.file()).toString(), problem.line(), problem.field(), problem.message());
        }

        private Map<String, Object> report(PolicySet set) {
            List<Map<String, Object>> documents = new ArrayList<>();
            set.inForce().forEach(document -> {
                Metadata metadata = document.resource().metadata();
                Map<String, Object> entry = new LinkedHashMap<>();
                entry.put("type", metadata.id().type());
                entry.put("mesh", metadata.mesh());
                entry.put("name", metadata.id().name());
                entry.put("file", document.file());
                entry.put("line", document.line());
                entry.put("applied", !metadata.shadow());
                documents.add(entry);
            });
            Map<String, Object> report = new LinkedHashMap<>();
            report.put("folder", folder.toString());
            report.put("ok", set.problems().isEmpty());
            report.put("documents", documents);
            report.put("problems", set.problems());
            return report;
        }
    }
}
