package io.weft.controlplane.xds;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Resources of one type by name, with a version of the whole. Immutable. */
final class Table {

    static final Table EMPTY = new Table(new TreeMap<>());

    private final SortedMap<String, Versioned> resources;
    private final String version;
    /** From another one, which nearly all readers had until then. */
    private volatile Difference last = new Difference("", List.of(), List.of());

    /**
     * What has become of another table.
     *
     * @param from the other one's version
     * @param changed and new ones
     */
    record Difference(String from, List<Versioned> changed, List<String> removed) {}

    private Table(SortedMap<String, Versioned> resources) {
        this.resources = resources;
        this.version = version(resources.values());
    }

    static Table of(Collection<Versioned> resources) {
        if (resources.isEmpty()) {
            // Most data planes have little of their own, and a hash for each of them and each type makes every push later.
            return EMPTY;
        }
        SortedMap<String, Versioned> byName = new TreeMap<>();
        resources.forEach(resource -> byName.put(resource.name(), resource));
        return new Table(byName);
    }

    static String version(Collection<Versioned> resources) {
        StringBuilder text = new StringBuilder();
        resources.forEach(resource ->
                text.append(resource.name()).append('\0').append(resource.version()).append('\0'));
        return Versioned.hash(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    String version() {
        return version;
    }

    Difference since(Table other) {
        Difference known = last;
        if (known.from.equals(other.version)) {
            return known;
        }
        List<Versioned> changed = new ArrayList<>();
        resources.forEach((name, resource) -> {
            Versioned before = other.resources.get(name);
            if (before == null || before != resource && !before.version().equals(resource.version())) {
                changed.add(resource);
            }
        });
        List<String> removed = new ArrayList<>();
        other.resources.keySet().stream().filter(name -> !resources.containsKey(name)).forEach(removed::add);
        Difference difference = new Difference(other.version, changed, removed);
        last = difference;
        return difference;
    }

    Versioned get(String name) {
        return resources.get(name);
    }

    Map<String, Versioned> resources() {
        return resources;
    }
}
