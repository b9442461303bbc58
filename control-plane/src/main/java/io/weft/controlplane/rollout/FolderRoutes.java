package io.weft.controlplane.rollout;

import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.FolderReader;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.Resource;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The policies of a folder. A file is replaced as a whole, in one step, with its permissions. Thread-safe: one change at a time. What
 * another process writes is noticed up to the moment of the replacement itself, for which a file system has no comparison.
 */
public final class FolderRoutes implements RouteStore {

    private static final Pattern FILE_NAME = Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9._-]{0,200}[a-zA-Z0-9])?");
    /** What YAML, a header and the parser all take without quotes of quotes. */
    private static final Pattern PLAIN = Pattern.compile("[ -~&&[^\"\\\\]]{1,200}");

    private final Path folder;
    private final ResourceParser parser = new ResourceParser();

    public FolderRoutes(Path folder) {
        this.folder = folder;
    }

    /** One rule that shares requests among versions. */
    private record Found(SourceText file, MeshHttpRoute policy, WeightText.Place place, Split split) {}

    @Override
    public Optional<Split> split(String mesh, String service) throws IOException, RolloutException {
        return one(mesh, service).map(Found::split);
    }

    private Optional<Found> one(String mesh, String service) throws IOException, RolloutException {
        List<Found> found = find().stream()
                .filter(each -> each.split().mesh().equals(mesh) && each.split().service().equals(service))
                .toList();
        if (found.size() > 1) {
            throw new RolloutException("the requests for " + service + " are shared by " + found.size() + " rules, in "
                    + String.join(" and ", found.stream().map(each -> each.file().name() + ":" + each.place().line()).distinct().toList())
                    + "; leave one, or write the weights by hand");
        }
        return found.stream().findFirst();
    }

    private List<Found> find() throws IOException {
        List<Found> found = new ArrayList<>();
        for (SourceText file : new FolderReader(folder).read()) {
            if (file.text().isEmpty()) {
                continue;
            }
            for (Document document : parser.parseFile(file.name(), file.text().get())) {
                if (document.resource().orElse(null) instanceof MeshHttpRoute policy && !policy.metadata().shadow()) {
                    for (Split.Rule rule : Split.rules(policy)) {
                        WeightText.Place place = new WeightText.Place(document.line(), rule.to(), rule.rule());
                        found.add(new Found(file, policy, place, rule.split()));
                    }
                }
            }
        }
        return found;
    }

    @Override
    public synchronized void share(String mesh, String service, Map<String, Long> weights) throws IOException, RolloutException {
        refuseUnwritable(mesh, service, weights.keySet().toArray(String[]::new));
        Optional<Found> found = one(mesh, service);
        if (found.isEmpty()) {
            create(service + "-canary", mesh, service, "Shares the requests for " + service + " among its versions.",
                    rule("", service, weights));
            return;
        }
        String before = found.get().file().text().orElseThrow();
        String after = WeightText.rewrite(before, found.get().place(), service, weights);
        verify(found.get(), before, after, weights);
        replace(found.get().file().name(), before, after);
    }

    /** Nothing but the weights may have changed, as those who obey the file understand it. */
    private void verify(Found found, String before, String after, Map<String, Long> weights) throws RolloutException {
        List<Resource> old = resources(found.file().name(), before);
        List<Resource> now = resources(found.file().name(), after);
        Map<String, Long> written = new HashMap<>();
        boolean same = old.size() == now.size();
        for (int i = 0; same && i < old.size(); i++) {
            if (old.get(i).equals(found.policy()) && now.get(i) instanceof MeshHttpRoute changed) {
                MeshHttpRoute.To to = changed.to().get(found.place().to());
                written.putAll(Split.weights(to.rules().get(found.place().rule()), found.split().service()));
                same = changed.metadata().equals(found.policy().metadata()) && changed.target().equals(found.policy().target());
            } else {
                same = old.get(i).equals(now.get(i));
            }
        }
        Map<String, Long> wanted = new HashMap<>(found.split().weights());
        wanted.replaceAll((version, weight) -> 0L);
        wanted.putAll(weights);
        if (!same || !written.equals(wanted)) {
            throw new RolloutException(found.file().name() + ": the weights cannot be changed in place; write them by hand");
        }
    }

    private List<Resource> resources(String name, String text) {
        return parser.parseFile(name, text).stream().flatMap(document -> document.resource().stream()).toList();
    }

    @Override
    public synchronized void sendByHeader(String mesh, String service, Map.Entry<String, String> header, String version, String rest)
            throws IOException, RolloutException {
        refuseUnwritable(mesh, service, header.getKey(), header.getValue(), version, rest);
        String match = "        headers:\n        - {type: Exact, name: \"" + header.getKey() + "\", value: \"" + header.getValue() + "\"}\n";
        String rules = rule(match, service, Map.of(version, 1L));
        if (one(mesh, service).isEmpty()) {
            rules += rule("", service, Map.of(rest, 1L));
        }
        create(service + "-ab", mesh, service, "Sends requests with a header to one version of " + service + ".", rules);
    }

    @Override
    public synchronized boolean endByHeader(String mesh, String service) throws IOException, RolloutException {
        Path file = folder.resolve(service + "-ab.yaml");
        if (!FILE_NAME.matcher(service).matches() || !Files.isRegularFile(file)) {
            return false;
        }
        List<Resource> resources = resources(file.getFileName().toString(), Files.readString(file));
        if (resources.size() != 1 || !resources.get(0).metadata().displayName().equals(service + "-ab")
                || !resources.get(0).metadata().mesh().equals(mesh)) {
            throw new RolloutException(file.getFileName() + " has more in it than the policy " + service + "-ab of mesh " + mesh
                    + "; remove that by hand");
        }
        Files.delete(file);
        return true;
    }

    private static void refuseUnwritable(String mesh, String service, String... texts) throws RolloutException {
        if (!FILE_NAME.matcher(mesh).matches()) {
            throw new RolloutException("'" + mesh + "' cannot be a mesh's name; use letters, digits, '.', '_' and '-'");
        }
        if (!FILE_NAME.matcher(service).matches()) {
            throw new RolloutException("'" + service + "' cannot be a file's name; write its policy by hand");
        }
        for (String text : texts) {
            if (!PLAIN.matcher(text).matches()) {
                throw new RolloutException("'" + text + "' has characters that cannot be written; use printable ASCII without quotes");
            }
        }
    }

    /** @param headers of the match, each line with its indent and end; may be empty */
    private static String rule(String headers, String service, Map<String, Long> weights) {
        StringBuilder rule = new StringBuilder("    - matches:\n      - path: {type: PathPrefix, value: /}\n")
                .append(headers)
                .append("      default:\n        backendRefs:\n");
        weights.forEach((version, weight) -> rule.append("        - {kind: MeshServiceSubset, name: ").append(service)
                .append(", tags: {version: \"").append(version).append("\"}, weight: ").append(weight).append("}\n"));
        return rule.toString();
    }

    private void create(String name, String mesh, String service, String comment, String rules)
            throws IOException, RolloutException {
        String text = "# " + comment + " Made by weft canary; it may be edited.\n"
                + "type: MeshHTTPRoute\nname: " + name + "\nmesh: " + mesh + "\nspec:\n  targetRef: {kind: Mesh}\n  to:\n"
                + "  - targetRef: {kind: MeshService, name: " + service + "}\n    rules:\n" + rules;
        List<Document> documents = parser.parseFile(name, text);
        if (documents.size() != 1 || documents.get(0).resource().isEmpty()) {
            throw new RolloutException("the policy cannot be written: " + documents.stream()
                    .flatMap(document -> document.problems().stream()).findFirst().map(Object::toString).orElse("one of its names"));
        }
        Path file = folder.resolve(name + ".yaml");
        Path next = temporary(file);
        try {
            Files.writeString(next, text);
            // A link to it fails where something is, unlike a move.
            Files.createLink(file, next);
        } catch (FileAlreadyExistsException e) {
            throw new RolloutException(file.getFileName() + " is there already and shares no requests for " + service
                    + " in mesh " + mesh + "; rename it");
        } finally {
            Files.deleteIfExists(next);
        }
    }

    private void replace(String name, String before, String after) throws IOException, RolloutException {
        // A link, as a mounted volume has them, stays one.
        Path file = folder.resolve(name).toRealPath();
        Path next = temporary(file);
        try {
            Files.write(next, after.getBytes(StandardCharsets.UTF_8));
            PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (view != null) {
                PosixFileAttributes attributes = view.readAttributes();
                Files.setPosixFilePermissions(next, attributes.permissions());
            }
            if (!Files.readString(file).equals(before)) {
                throw new RolloutException(name + " has been changed by somebody else just now; try again");
            }
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
    }

    /** Beside the file, so that it can be moved, and hidden from whoever reads policies. */
    private static Path temporary(Path file) {
        return file.resolveSibling(".weft-" + UUID.randomUUID() + ".tmp");
    }
}
