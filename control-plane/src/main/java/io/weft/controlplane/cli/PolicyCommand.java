package io.weft.controlplane.cli;

import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
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
                "Says which documents are in order, as a control plane would read them if they were its folder.",
                "",
                "Problems go to stderr, each as FILE:LINE: FIELD: MESSAGE.",
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = {
                "",
                "Examples:",
                "  weft policy check policies",
                "  weft policy check policies new/orders.yaml    together: two of one name are a problem",
            },
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:all documents are in order", "1:there are problems", "2:wrong usage"})
    static final class Check implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Parameters(arity = "1..*", paramLabel = "PATH", description = "Folders of *.yaml and *.yml files, and files.")
        private List<Path> paths;

        @Option(names = "--json", description = "Print one JSON object instead.")
        private boolean json;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            PrintWriter err = spec.commandLine().getErr();
            // Whoever names a folder and a file in it means that file once.
            Map<Path, SourceText> texts = new LinkedHashMap<>();
            for (Path path : paths) {
                try {
                    for (SourceText text : texts(path)) {
                        texts.putIfAbsent(Path.of(text.name()).toAbsolutePath().normalize(), text);
                    }
                } catch (IOException e) {
                    err.println("weft policy check: " + path + ": " + e.getMessage());
                    return 1;
                }
            }
            PolicySet set = new PolicyHistory(new ResourceParser()).update(List.copyOf(texts.values()));
            if (json) {
                out.println(Json.line(report(set)));
            } else {
                set.inForce().forEach(document -> out.println(
                        document.file() + ":" + document.line() + ": "
                                + document.resource().metadata().id() + ": ok"
                                + (document.resource().metadata().shadow() ? ", a shadow: not applied" : "")));
                out.println(set.inForce().size() + " in order, " + set.problems().size() + " problems");
                set.problems().forEach(err::println);
            }
            out.flush();
            err.flush();
            return set.problems().isEmpty() ? 0 : 1;
        }

        /** By their paths, as they are to be told. */
        private static List<SourceText> texts(Path path) throws IOException {
            if (!Files.isDirectory(path)) {
                if (!Files.exists(path)) {
                    throw new IOException("there is no such file or folder");
                }
                return List.of(FolderReader.readFile(path));
            }
            List<SourceText> texts = new ArrayList<>();
            for (SourceText text : new FolderReader(path).read()) {
                texts.add(text.named(path.resolve(text.name()).toString()));
            }
            return texts;
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
            report.put("paths", paths.stream().map(Path::toString).toList());
            report.put("ok", set.problems().isEmpty());
            report.put("documents", documents);
            report.put("problems", set.problems());
            return report;
        }
    }
}
