package io.weft.controlplane.cli;

import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.References;
import io.weft.controlplane.policy.References.Known;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.service.Overridden;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
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
                "Problems go to stderr, each as FILE:LINE: FIELD: MESSAGE. So do warnings, as FILE:LINE: warning: MESSAGE: of a mesh, a service or"
                        + " instances that a policy names and that nobody is, where that is known: by the services that the files define, or by --page.",
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
            exitCodeList = {"0:all documents are in order", "1:there are problems, or with --strict warnings", "2:wrong usage"})
    static final class Check implements Callable<Integer> {

        @Spec
        private CommandSpec spec;

        @Parameters(arity = "1..*", paramLabel = "PATH", description = "Folders of *.yaml and *.yml files, and files.")
        private List<Path> paths;

        @Option(names = "--page", paramLabel = "URL", converter = PageUrl.class,
                description = "The page of a control plane, as http://127.0.0.1:5679/: whoever is named is looked for among those who run.")
        private URI page;

        @Option(names = "--strict", description = "Warnings are problems.")
        private boolean strict;

        @Option(names = "--json", description = "Print one JSON object instead.")
        private boolean json;

        @Override
        public Integer call() throws InterruptedException {
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
            Map<ResourceId, Collection<String>> overridden = Overridden.in(set);
            List<Problem> warnings;
            try {
                warnings = References.unmet(set, page == null ? Known.NOTHING : LiveServices.of(page)).stream()
                        .map(References.Unmet::problem)
                        .toList();
            } catch (IOException e) {
                err.println("weft policy check: the control plane's page at " + page + " does not say who runs (" + PageUrl.problem(e) + "); name it with --page");
                return 1;
            }
            if (json) {
                out.println(Json.line(report(set, overridden, warnings)));
            } else {
                set.inForce().forEach(document -> out.println(
                        document.file() + ":" + document.line() + ": "
                                + document.resource().metadata().id() + ": ok"
                                + (document.resource().metadata().shadow() ? ", a shadow: not applied" : "")
                                + (overridden.containsKey(document.resource().metadata().id())
                                        ? ", overridden by " + String.join(", ", overridden.get(document.resource().metadata().id())) + ": has no effect"
                                        : "")));
                out.println(set.inForce().size() + " in order, " + set.problems().size() + " problems"
                        + (warnings.isEmpty() ? "" : ", " + warnings.size() + " warnings")
                        + (page == null && set.inForce().stream().anyMatch(document -> document.resource() instanceof MeshHttpRoute)
                                ? "; whether the services and versions that are named run is looked up with --page URL" : ""));
                set.problems().forEach(err::println);
                warnings.forEach(warning -> err.println(warning.file() + ":" + warning.line() + ": warning: " + warning.message()));
            }
            out.flush();
            err.flush();
            return set.problems().isEmpty() && (warnings.isEmpty() || !strict) ? 0 : 1;
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

        private Map<String, Object> report(PolicySet set, Map<ResourceId, Collection<String>> overridden, List<Problem> warnings) {
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
                entry.put("overriddenBy", overridden.getOrDefault(metadata.id(), List.of()));
                documents.add(entry);
            });
            Map<String, Object> report = new LinkedHashMap<>();
            report.put("paths", paths.stream().map(Path::toString).toList());
            report.put("ok", set.problems().isEmpty());
            report.put("documents", documents);
            report.put("problems", set.problems());
            report.put("warnings", warnings);
            return report;
        }
    }
}
