package io.weft.controlplane.xds;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Resources of one type by name, with a version of the whole. Immutable. There may be thousands, and with each change of one a new table:
 * so it is an array, which is nearly sorted before, and its version a sum, for which nothing is hashed again.
 */
final class Table {

    static final Table EMPTY = new Table(new Versioned[0]);

    private static final Comparator<Versioned> BY_NAME = Comparator.comparing(Versioned::name);

    /** In the order of their names. */
    private final Versioned[] resources;
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

    private Table(Versioned[] resources) {
        this.resources = resources;
        this.version = version(Arrays.asList(resources));
    }

    static Table of(Collection<Versioned> resources) {
        if (resources.isEmpty()) {
            return EMPTY;
        }
        Versioned[] sorted = resources.toArray(new Versioned[0]);
        Arrays.sort(sorted, BY_NAME);
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i - 1].name().equals(sorted[i].name())) {
                return lastOfEachName(resources);
            }
        }
        return new Table(sorted);
    }

    private static Table lastOfEachName(Collection<Versioned> resources) {
        Map<String, Versioned> byName = new LinkedHashMap<>();
        resources.forEach(resource -> byName.put(resource.name(), resource));
        return of(byName.values());
    }

    /** The same for the same resources in another order. */
    static String version(Collection<Versioned> resources) {
        long sum = resources.size();
        for (Versioned resource : resources) {
            sum += resource.fingerprint();
        }
        return HexFormat.of().toHexDigits(sum);
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
        List<String> removed = new ArrayList<>();
        int before = 0;
        for (Versioned resource : resources) {
            while (before < other.resources.length && other.resources[before].name().compareTo(resource.name()) < 0) {
                removed.add(other.resources[before++].name());
            }
            if (before == other.resources.length || !other.resources[before].name().equals(resource.name())) {
                changed.add(resource);
            } else if (!other.resources[before++].version().equals(resource.version())) {
                changed.add(resource);
            }
        }
        while (before < other.resources.length) {
            removed.add(other.resources[before++].name());
        }
        Difference difference = new Difference(other.version, changed, removed);
        last = difference;
        return difference;
    }

    /** Null if there is none. */
    Versioned get(String name) {
        int low = 0;
        int high = resources.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = resources[middle].name().compareTo(name);
            if (order == 0) {
                return resources[middle];
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return null;
    }

    /** In the order of their names. */
    List<Versioned> resources() {
        return Collections.unmodifiableList(Arrays.asList(resources));
    }
}
