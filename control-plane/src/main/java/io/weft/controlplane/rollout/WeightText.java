package io.weft.controlplane.rollout;

import java.io.StringReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * The weights in the text of a policy: they are replaced where they stand, so that comments, order and layout of everything else are as
 * their author left them.
 */
final class WeightText {

    private WeightText() {}

    /**
     * Which rule is meant.
     *
     * @param line where the document begins in the file, from 1
     */
    record Place(int line, int to, int rule) {}

    /**
     * @param weights by version; a version that no reference is for gets one
     * @throws RolloutException the text is laid out in a way that is not understood
     */
    static String rewrite(String text, Place place, String service, Map<String, Long> weights) throws RolloutException {
        try {
            Node refs = field(field(
                    item(field(item(field(field(root(text, place.line()), "spec"), "to"), place.to()), "rules"), place.rule()),
                    "default"), "backendRefs");
            Edits edits = new Edits(text);
            Map<String, Long> missing = new LinkedHashMap<>(weights);
            List<Node> items = sequence(refs).getValue();
            for (Node ref : items) {
                String version = ((ScalarNode) field(field(ref, "tags"), "version")).getValue();
                missing.remove(version);
                weigh(edits, (MappingNode) ref, weights.getOrDefault(version, 0L));
            }
            for (Map.Entry<String, Long> added : missing.entrySet()) {
                edits.append((SequenceNode) refs, "{kind: MeshServiceSubset, name: " + service + ", tags: {version: \""
                        + added.getKey() + "\"}, weight: " + added.getValue() + "}");
            }
            return edits.apply();
        } catch (YAMLException | ClassCastException | IndexOutOfBoundsException e) {
            throw new RolloutException("the policy is laid out in a way that cannot be changed in place; write its weights by hand");
        }
    }

    private static void weigh(Edits edits, MappingNode ref, long weight) throws RolloutException {
        Optional<Node> known = find(ref, "weight");
        if (known.isPresent()) {
            edits.replace(known.get(), Long.toString(weight));
        } else if (ref.getFlowStyle() == FlowStyle.FLOW) {
            edits.insert(ref.getEndMark().getIndex() - 1, ", weight: " + weight);
        } else {
            Node last = ref.getValue().get(ref.getValue().size() - 1).getValueNode();
            int column = ref.getValue().get(0).getKeyNode().getStartMark().getColumn();
            if (!(last instanceof ScalarNode) && ((org.yaml.snakeyaml.nodes.CollectionNode<?>) last).getFlowStyle() != FlowStyle.FLOW) {
                throw new RolloutException("a backendRef without a weight ends in a nested block; write its weight by hand");
            }
            edits.insert(last.getEndMark().getIndex(), "\n" + " ".repeat(column) + "weight: " + weight);
        }
    }

    private static Node root(String text, int line) throws RolloutException {
        Yaml yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
        for (Node root : yaml.composeAll(new StringReader(text))) {
            if (root.getStartMark().getLine() + 1 >= line) {
                return root;
            }
        }
        throw new RolloutException("the policy is no longer where it was; try again");
    }

    private static Optional<Node> find(Node node, String key) {
        for (NodeTuple entry : ((MappingNode) node).getValue()) {
            if (entry.getKeyNode() instanceof ScalarNode name && name.getValue().equals(key)) {
                return Optional.of(entry.getValueNode());
            }
        }
        return Optional.empty();
    }

    private static Node field(Node node, String key) {
        return find(node, key).orElseThrow(() -> new IndexOutOfBoundsException(key));
    }

    private static Node item(Node node, int index) {
        return sequence(node).getValue().get(index);
    }

    private static SequenceNode sequence(Node node) {
        return (SequenceNode) node;
    }

    /** Of one text, whose marks count code points. */
    private static final class Edits {
        private final String text;
        /** By where it begins, the last first. */
        private final TreeMap<Integer, Edit> edits = new TreeMap<>(java.util.Comparator.reverseOrder());

        private record Edit(int end, String replacement) {}

        Edits(String text) {
            this.text = text;
        }

        void replace(Node node, String replacement) throws RolloutException {
            put(node.getStartMark().getIndex(), node.getEndMark().getIndex(), replacement);
        }

        void insert(int at, String inserted) throws RolloutException {
            put(at, at, inserted);
        }

        void append(SequenceNode list, String item) throws RolloutException {
            Node last = list.getValue().get(list.getValue().size() - 1);
            if (list.getFlowStyle() == FlowStyle.FLOW) {
                insert(last.getEndMark().getIndex(), ", " + item);
            } else if (((MappingNode) last).getFlowStyle() == FlowStyle.FLOW) {
                insert(last.getEndMark().getIndex(), "\n" + " ".repeat(list.getStartMark().getColumn()) + "- " + item);
            } else {
                throw new RolloutException("there is no backendRef for one of the versions; add one by hand");
            }
        }

        private void put(int start, int end, String replacement) throws RolloutException {
            Edit before = edits.put(start, new Edit(end, replacement));
            if (before != null && !before.equals(new Edit(end, replacement))) {
                // An anchor that two references share, or two insertions at the same place.
                String both = before.end() == start && end == start ? before.replacement() + replacement : null;
                if (both == null) {
                    throw new RolloutException("two references share one weight; give each its own");
                }
                edits.put(start, new Edit(end, both));
            }
        }

        String apply() {
            StringBuilder changed = new StringBuilder(text);
            edits.forEach((start, edit) -> changed.replace(
                    text.offsetByCodePoints(0, start), text.offsetByCodePoints(0, edit.end()), edit.replacement()));
            return changed.toString();
        }
    }
}
