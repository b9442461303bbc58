package io.weft.controlplane.xds;

import io.weft.controlplane.registry.ClientNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the data planes of one mesh would get otherwise than they do. */
public final class MeshDiff {

    private MeshDiff() {}

    /**
     * The same change for all instances of some services.
     *
     * @param services whose data planes it is for
     * @param resource its type and name
     * @param lines what differs in it, each with {@code +}, {@code -} or {@code ~} in front
     */
    public record Change(List<String> services, String resource, List<String> lines) {}

    /** Certificates are not compared: they come and go without a policy. */
    public static List<Change> between(MeshCompiler before, MeshCompiler after, Collection<ClientNode> nodes) {
        Map<String, Change> changes = new TreeMap<>();
        Map<String, Set<String>> services = new TreeMap<>();
        for (ClientNode node : nodes) {
            NodeConfig old = before.configFor(node, false);
            NodeConfig now = after.configFor(node, false);
            for (ResourceType type : ResourceType.values()) {
                if (type == ResourceType.SECRET || old.of(type).sameAs(now.of(type))) {
                    continue;
                }
                for (String name : names(old.of(type), now.of(type))) {
                    Versioned was = old.of(type).get(name);
                    Versioned is = now.of(type).get(name);
                    if (was != null && is != null && was.version().equals(is.version())) {
                        continue;
                    }
                    String key = type.ordinal() + name + '\0' + (was == null ? "" : was.version()) + '\0' + (is == null ? "" : is.version());
                    services.computeIfAbsent(key, absent -> new TreeSet<>()).add(node.workload().service());
                    changes.computeIfAbsent(key, absent -> new Change(
                            List.of(), type.name().toLowerCase(Locale.ROOT) + " " + name, ResourceDiff.lines(was, is)));
                }
            }
        }
        List<Change> all = new ArrayList<>();
        changes.forEach((key, change) -> all.add(new Change(List.copyOf(services.get(key)), change.resource(), change.lines())));
        return all;
    }

    private static Set<String> names(NodeConfig.Layers some, NodeConfig.Layers others) {
        Set<String> names = new TreeSet<>();
        for (NodeConfig.Layers layers : List.of(some, others)) {
            names.addAll(layers.shared().resources().keySet());
            names.addAll(layers.own().resources().keySet());
        }
        return names;
    }
}
