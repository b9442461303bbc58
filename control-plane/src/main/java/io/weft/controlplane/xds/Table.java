package io.weft.controlplane.xds;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Resources of one type by name, with a version of the whole. Immutable. */
final class Table {

    static final Table EMPTY = new Table(new TreeMap<>());

    private final SortedMap<String, Versioned> resources;
    private final String version;

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

    Versioned get(String name) {
        return resources.get(name);
    }

    Map<String, Versioned> resources() {
        return resources;
    }
}
