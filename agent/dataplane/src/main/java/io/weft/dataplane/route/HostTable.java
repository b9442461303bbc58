package io.weft.dataplane.route;

import java.util.ArrayList;
import java.util.List;

/**
 * Values by host and port. Hosts are compared without ASCII case. A lookup takes a range of a longer string, so that none is
 * cut out of an authority, and allocates nothing: a linear-probing hash table that is at most half full. The hash is the
 * caller's to keep, since one authority is looked up in several tables. Immutable.
 */
final class HostTable<V> {
    /** The bit in which the cases of an ASCII letter differ. */
    private static final int CASE = 0x20;

    private final Entry<?>[] entries;
    private final int mask;
    private final boolean empty;

    /** One object for all of an entry: a lookup that misses the processor's caches does so once. */
    private record Entry<V>(String host, int port, V value) {}

    private HostTable(List<Entry<V>> all) {
        empty = all.isEmpty();
        int capacity = Integer.highestOneBit(Math.max(1, all.size())) * 4;
        entries = new Entry<?>[capacity];
        mask = capacity - 1;
        for (Entry<V> entry : all) {
            String host = entry.host;
            int slot = slot(hash(host, 0, host.length()), host, 0, host.length(), entry.port);
            if (entries[slot] == null) {
                entries[slot] = entry;
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
    V find(int hash, String text, int from, int to, int port) {
        if (empty) {
            return null;
        }
        Entry<?> entry = entries[slot(hash, text, from, to, port)];
        return entry == null ? null : (V) entry.value;
    }

    /** Where the key is, or else the free slot where it would be. */
    private int slot(int hash, String text, int from, int to, int port) {
        int mixed = (hash + port) * 0x9E3779B9;
        int slot = (mixed ^ mixed >>> 16) & mask;
        Entry<?> entry = entries[slot];
        while (entry != null && !(entry.port == port && same(entry.host, text, from, to))) {
            slot = slot + 1 & mask;
            entry = entries[slot];
        }
        return slot;
    }

    /** Hosts are in lower case nearly always, and then the machine compares them many bytes at a time. */
    private static boolean same(String key, String text, int from, int to) {
        if (key.length() != to - from) {
            return false;
        }
        return from == 0 && to == text.length() && key.equals(text) || sameButForCase(key, text, from);
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

        Builder<V> put(String host, int port, V value) {
            entries.add(new Entry<>(host, port, value));
            return this;
        }

        HostTable<V> build() {
            return new HostTable<>(entries);
        }
    }
}
