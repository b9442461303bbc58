package io.weft.dataplane.match;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Values by prefix. The keys are in order, each with a link to the longest other key that is a prefix of it. All prefixes of a
 * text are among the greatest key that is not behind the text and what is linked from there, since every key between a prefix
 * of a text and the text begins with that prefix, too. A lookup is a binary search and a walk along those links, and allocates
 * nothing. Immutable.
 */
final class PrefixTable<V> {
    private final String[] keys;
    private final List<V> values;
    private final int[] shorter;

    PrefixTable(Map<String, V> entries) {
        TreeMap<String, V> sorted = new TreeMap<>(entries);
        keys = sorted.keySet().toArray(new String[0]);
        values = List.copyOf(sorted.values());
        shorter = new int[keys.length];
        for (int i = 0; i < keys.length; i++) {
            int candidate = i - 1;
            while (candidate >= 0 && !keys[i].startsWith(keys[candidate])) {
                candidate = shorter[candidate];
            }
            shorter[i] = candidate;
        }
    }

    /** @return the index of the longest key with which the text begins, -1 without one */
    int find(String text) {
        int low = 0;
        int high = keys.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (keys[middle].compareTo(text) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        int index = high;
        while (index >= 0 && !text.startsWith(keys[index])) {
            index = shorter[index];
        }
        return index;
    }

    /** @return the index of the next shorter key that is a prefix of this one, -1 without one */
    int shorter(int index) {
        return shorter[index];
    }

    V value(int index) {
        return values.get(index);
    }
}
