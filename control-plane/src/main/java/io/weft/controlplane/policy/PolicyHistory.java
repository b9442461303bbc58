package io.weft.controlplane.policy;

import io.weft.controlplane.policy.PolicySet.Sourced;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides, reading by reading, which documents are in force: every good one, and of a bad one its last good version. A
 * document that is gone is gone. Of two with the same type, mesh and name, the one whose file had it before stays.
 *
 * <p>Not thread-safe.
 */
public final class PolicyHistory {

    private static final Logger LOG = LoggerFactory.getLogger(PolicyHistory.class);

    private final ResourceParser parser;
    /** Of the last reading, by file: as a rule one of many has changed since. */
    private Map<String, Parsed> parsed = Map.of();
    private Map<ResourceId, Sourced> inForce = Map.of();

    private record Parsed(String text, List<Document> documents) {}

    public PolicyHistory(ResourceParser parser) {
        this.parser = parser;
    }

    /** The outcome of one reading of the whole folder. */
    public PolicySet update(List<SourceText> files) {
        List<Document> documents = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        // Files of which some part does not say what it is: what they had before may still be meant.
        Set<String> unclear = new HashSet<>();
        Map<String, Parsed> nowParsed = new HashMap<>();
        for (SourceText file : files) {
            file.failure().ifPresent(problem -> {
                problems.add(problem);
                unclear.add(file.name());
            });
            try {
                file.text().ifPresent(text -> {
                    Parsed known = parsed.get(file.name());
                    Parsed now = known != null && known.text.equals(text)
                            ? known
                            : new Parsed(text, parser.parseFile(file.name(), text));
                    nowParsed.put(file.name(), now);
                    documents.addAll(now.documents);
                });
            } catch (RuntimeException | StackOverflowError e) {
                // A fault of ours in one file must not keep the others from being read.
                LOG.error("{} could not be parsed. Please report this", file.name(), e);
                problems.add(new Problem(file.name(), 0, "", "could not be parsed (" + e + "); the log says where"));
                unclear.add(file.name());
            }
        }
        parsed = nowParsed;
        Map<ResourceId, List<Document>> byId = new LinkedHashMap<>();
        for (Document document : documents) {
            problems.addAll(document.problems());
            document.id().ifPresentOrElse(
                    id -> byId.computeIfAbsent(id, key -> new ArrayList<>()).add(document),
                    () -> unclear.add(document.file()));
        }

        Map<ResourceId, Sourced> next = new HashMap<>();
        List<ResourceId> outdated = new ArrayList<>();
        byId.forEach((id, versions) -> {
            Document chosen = choose(id, versions);
            for (Document other : versions) {
                if (other != chosen) {
                    problems.add(new Problem(other.file(), other.line(), "",
                            id + " stands already in " + chosen.file() + ":" + chosen.line()
                                    + "; rename or remove one of the two"));
                }
            }
            Optional<Sourced> good = chosen.resource()
                    .map(resource -> new Sourced(resource, chosen.file(), chosen.line()));
            Sourced last = inForce.get(id);
            if (good.isPresent()) {
                next.put(id, good.get());
            } else if (last != null) {
                next.put(id, last);
                outdated.add(id);
            }
        });
        inForce.forEach((id, last) -> {
            if (!byId.containsKey(id) && unclear.contains(last.file())) {
                next.put(id, last);
                outdated.add(id);
            }
        });
        inForce = next;
        return new PolicySet(inOrder(next), outdated, problems);
    }

    private Document choose(ResourceId id, List<Document> versions) {
        Sourced last = inForce.get(id);
        if (last != null) {
            for (Document version : versions) {
                if (version.file().equals(last.file())) {
                    return version;
                }
            }
        }
        return versions.get(0);
    }

    private static List<Sourced> inOrder(Map<ResourceId, Sourced> resources) {
        Map<String, Sourced> ordered = new TreeMap<>();
        resources.forEach((id, sourced) -> ordered.put(id.mesh() + '\0' + id.type() + '\0' + id.name(), sourced));
        return List.copyOf(ordered.values());
    }
}
