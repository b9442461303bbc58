package io.weft.dataplane.route;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Values by host. Hosts are compared without ASCII case. A lookup takes a range of a longer string, so that none is cut out of
 * an authority, and allocates nothing: a linear-probing hash table, at most a quarter full, since a look at another host's text
 * costs two cache misses. The hash is the caller's to keep: one authority is looked up in several tables. Immutable.
 */
final class HostTable<V> {
    /** The bit in which the cases of an ASCII letter differ. */
    private static final int CASE = 0x20;

    /** Each host with its value after it: a lookup that misses the processor's caches does so once, not once for each. */
    private final Object[] slots;
    private final int mask;
    private final boolean empty;

    private record Entry<V>(String host, V value) {}

    private HostTable(List<Entry<V>> all) {
        empty = all.isEmpty();
        slots = new Object[Integer.highestOneBit(Math.max(1, all.size())) * 16];
        mask = slots.length - 1;
        for (Entry<V> entry : all) {
            String host = entry.host;
            int slot = slot(hash(host, 0, host.length()), host, 0, host.length());
            if (slots[slot] == null) {
                slots[slot] = host;
                slots[slot + 1] = entry.value;
            }
        }
    }

    /** Of a range of a string; the same whatever the case. Two characters a step, since the steps wait for each other. */
    static int hash(String text, int from, int to) {
        int hash = 0;
        int i = from;
        for (; i < to - 1; i += 2) {
            hash = 961 * hash + (31 * (text.charAt(i) | CASE) + (text.charAt(i + 1) | CASE));
        }
        return i < to ? 31 * hash + (text.charAt(i) | CASE) : hash;
    }

    /**
     * @param hash of the range
     * @return null when absent
     */
    @SuppressWarnings("unchecked")
    V find(int hash, String text, int from, int to) {
        return empty ? null : (V) slots[slot(hash, text, from, to) + 1];
    }

    boolean isEmpty() {
        return empty;
    }

    void addHostsTo(Collection<String> hosts) {
        for (int i = 0; i < slots.length; i += 2) {
            if (slots[i] != null) {
                hosts.add((String) slots[i]);
            }
        }
    }

    /** Where the key is, or else the free slot where it would be. */
    private int slot(int hash, String text, int from, int to) {
        int mixed = hash * 0x9E3779B9;
        int slot = (mixed ^ mixed >>> 16) << 1 & mask;
        Object host = slots[slot];
        while (host != null && !same((String) host, text, from, to)) {
            slot = slot + 2 & mask;
            host = slots[slot];
        }
        return slot;
    }

    /** Hosts are in lower case nearly always, and then the machine compares them many bytes at a time. */
    private static boolean same(String key, String text, int from, int to) {
        return from == 0 && to == text.length() && key.equals(text)
                || key.length() == to - from && sameButForCase(key, text, from);
    }

    private static boolean sameButForCase(String key, String text, int from) {
        for (int i = 0; i < key.length(); i++) {
            if (lower(key.charAt(i)) != lower(text.charAt(from + i))) {
                return false;
            }
        }
        return true;
    }

    private static int lower(char c) {
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }

    /** Collects entries; the first of two with the same key stays. For one thread. */
    static final class Builder<V> {
        private final List<Entry<V>> entries = new ArrayList<>();

        Builder<V> put(String host, V value) {
            entries.add(new Entry<>(host, value));
            return this;
        }

        HostTable<V> build() {
            return new HostTable<>(entries);
        }
    }
}
