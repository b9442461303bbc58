package io.weft.controlplane.policy;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** The fields of one mapping. {@link #end} refuses those that were never asked for. Not thread-safe. */
final class Fields {

    private final String path;
    private final Node.Mapping mapping;
    private final Problems problems;
    private final Set<String> known = new LinkedHashSet<>();

    Fields(String path, Node.Mapping mapping, Problems problems) {
        this.path = path;
        this.mapping = mapping;
        this.problems = problems;
    }

    /** For the stand-in of something that was refused as a whole: its missing fields are no news. */
    static Problems deaf() {
        return new Problems("", Problems.UnknownFields.IGNORED);
    }

    /** The field; a null counts as absent. */
    Optional<Value> get(String name) {
        known.add(name);
        Node.Entry entry = mapping.entries().get(name);
        if (entry == null || entry.value() instanceof Node.Null) {
            return Optional.empty();
        }
        return Optional.of(new Value(child(name), entry.value(), problems));
    }

    /** The field; its absence is a problem and yields null's stand-in, a value that refuses silently. */
    Value require(String name) {
        return get(name).orElseGet(() -> {
            Node.Entry entry = mapping.entries().get(name);
            problems.add(entry == null ? mapping.line() : entry.keyLine(), child(name), "is missing");
            return new Value(child(name), new Node.Null(mapping.line()), deaf());
        });
    }

    List<Value> items(String name) {
        return get(name).map(Value::items).orElse(List.of());
    }

    Map<String, String> texts(String name) {
        return get(name).map(Value::texts).orElse(Map.of());
    }

    OptionalInt count(String name, int min, int max) {
        return get(name).map(value -> OptionalInt.of((int) value.whole(min, max))).orElse(OptionalInt.empty());
    }

    /** Refuses a field that Kuma has and that has no effect here yet. */
    void unsupported(String name, String instead) {
        get(name).ifPresent(value -> value.refuse("is not supported yet; " + instead));
    }

    /** Refuses a field that belongs to another place, if it is there. */
    boolean refusesMisplaced(String name, String where) {
        if (!mapping.entries().containsKey(name)) {
            return false;
        }
        known.add(name);
        refuse(name, where);
        return true;
    }

    /** Accepts a field that means nothing to this control plane, and does not look at its value. */
    void accept(String... names) {
        known.addAll(List.of(names));
    }

    void refuse(String name, String message) {
        Node.Entry entry = mapping.entries().get(name);
        problems.add(entry == null ? mapping.line() : entry.keyLine(), child(name), message);
    }

    void end() {
        mapping.entries().forEach((name, entry) -> {
            if (!known.contains(name)) {
                problems.unknown(
                        entry.keyLine(),
                        child(name),
                        "is not a field here; known are " + String.join(", ", known) + Spelling.suggestion(name, known));
            }
        });
    }

    private String child(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }
}
