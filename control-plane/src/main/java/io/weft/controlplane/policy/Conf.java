package io.weft.controlplane.policy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one entry of a policy says under {@code default}, as it was written: policies that apply together are merged before anything
 * of them is read. Where in a file it stood makes no difference to whether two are equal.
 */
public final class Conf {

    public static final Conf EMPTY = new Conf(new Node.Mapping(0, Map.of()));

    /** Of lists whose name begins so Kuma keeps the items of all policies. */
    private static final String APPENDED = "append";

    private final Node.Mapping node;

    private Conf(Node.Mapping node) {
        this.node = node;
    }

    static Conf of(Node node) {
        return node instanceof Node.Mapping mapping ? new Conf((Node.Mapping) placeless(mapping)) : EMPTY;
    }


    /** As in Kuma by the rules of a JSON merge patch (RFC 7396), but that no field can be taken away; the later one wins. */
    public static Conf merge(List<Conf> ascending) {
        if (ascending.isEmpty()) {
            return EMPTY;
        }
        Node.Mapping merged = ascending.get(0).node;
        for (Conf next : ascending.subList(1, ascending.size())) {
            merged = over(next.node, merged);
        }
        return new Conf(merged);
    }

    private static Node.Mapping over(Node.Mapping higher, Node.Mapping lower) {
        Map<String, Node.Entry> entries = new LinkedHashMap<>(lower.entries());
        higher.entries().forEach((name, entry) -> entries.merge(
                name, entry, (below, above) -> new Node.Entry(0, over(name, above.value(), below.value()))));
        return new Node.Mapping(0, entries);
    }

    private static Node over(String name, Node higher, Node lower) {
        if (higher instanceof Node.Mapping above && lower instanceof Node.Mapping below) {
            return over(above, below);
        }
        if (name.startsWith(APPENDED) && higher instanceof Node.Sequence above && lower instanceof Node.Sequence below) {
            List<Node> items = new ArrayList<>(below.items());
            items.addAll(above.items());
            return new Node.Sequence(0, items);
        }
        return higher;
    }

    private static Node placeless(Node node) {
        if (node instanceof Node.Mapping mapping) {
            Map<String, Node.Entry> entries = new LinkedHashMap<>();
            mapping.entries().forEach((name, entry) -> {
                // To say nothing is no way of taking away what another policy says.
                if (!(entry.value() instanceof Node.Null)) {
                    entries.put(name, new Node.Entry(0, placeless(entry.value())));
                }
            });
            return new Node.Mapping(0, entries);
        }
        if (node instanceof Node.Sequence sequence) {
            return new Node.Sequence(0, sequence.items().stream().map(Conf::placeless).toList());
        }
        if (node instanceof Node.Text text) {
            return new Node.Text(0, text.value());
        }
        if (node instanceof Node.Whole whole) {
            return new Node.Whole(0, whole.value());
        }
        if (node instanceof Node.Fraction fraction) {
            return new Node.Fraction(0, fraction.text());
        }
        return node instanceof Node.Bool bool ? new Node.Bool(0, bool.value()) : new Node.Null(0);
    }

    /** Its parts were found to be in order one by one; what they are together nobody is told. */
    Fields fields() {
        return new Fields("", node, Fields.deaf());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Conf conf && node.equals(conf.node);
    }

    @Override
    public int hashCode() {
        return node.hashCode();
    }

    @Override
    public String toString() {
        return node.toString();
    }
}
