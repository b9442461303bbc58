package io.weft.dataplane.route;

import java.util.ArrayList;
import java.util.List;

/**
 * Values by host and port. Hosts are compared without ASCII case. A lookup takes a range of a longer string, so that none is
 * cut out of an authority, and allocates nothing: a linear-probing hash table that is at most half full. Immutable.
 */
public final class HostTable<V> {
    private final String[] hosts;
    private final int[] ports;
    private final Object[] values;
    private final int mask;

    private HostTable(Builder<V> builder) {
        int size = builder.hosts.size();
        int capacity = Integer.highestOneBit(Math.max(1, size)) * 4;
        hosts = new String[capacity];
        ports = new int[capacity];
        values = new Object[capacity];
        mask = capacity - 1;
        for (int i = 0; i < size; i++) {
            String host = builder.hosts.get(i);
            int port = builder.ports.get(i);
            int slot = slot(host, 0, host.length(), port);
            if (values[slot] == null) {
                hosts[slot] = host;
                ports[slot] = port;
                values[slot] = builder.values.get(i);
            }
        }
    }

    public boolean isEmpty() {
        for (Object value : values) {
            if (value != null) {
                return false;
            }
        }
        return true;
    }

    /** @return null when absent */
    @SuppressWarnings("unchecked")
    public V find(String text, int from, int to, int port) {
        return (V) values[slot(text, from, to, port)];
    }

    /** Where the key is, or else the free slot where it would be. */
    private int slot(String text, int from, int to, int port) {
        int hash = port;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + lower(text.charAt(i));
        }
        int slot = (hash ^ hash >>> 16) & mask;
        while (values[slot] != null && !(ports[slot] == port && same(hosts[slot], text, from, to))) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private static boolean same(String key, String text, int from, int to) {
        if (key.length() != to - from) {
            return false;
        }
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
    public static final class Builder<V> {
        private final List<String> hosts = new ArrayList<>();
        private final List<Integer> ports = new ArrayList<>();
        private final List<V> values = new ArrayList<>();

        public Builder<V> put(String host, int port, V value) {
            hosts.add(host);
            ports.add(port);
            values.add(value);
            return this;
        }

        public HostTable<V> build() {
            return new HostTable<>(this);
        }
    }
}
