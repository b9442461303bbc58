package io.weft.dataplane.route;

import java.util.Arrays;
import java.util.Map;

/** Values by port: a linear-probing hash table that is at most half full. Immutable; a lookup allocates nothing. */
public final class PortTable<V> {
    private static final int FREE = -1;

    private final int[] ports;
    private final Object[] values;

    public PortTable(Map<Integer, V> all) {
        int capacity = Integer.highestOneBit(Math.max(1, all.size())) * 4;
        ports = new int[capacity];
        values = new Object[capacity];
        Arrays.fill(ports, FREE);
        for (Map.Entry<Integer, V> entry : all.entrySet()) {
            int slot = slot(entry.getKey());
            ports[slot] = entry.getKey();
            values[slot] = entry.getValue();
        }
    }

    /** @return null when absent */
    @SuppressWarnings("unchecked")
    public V find(int port) {
        return (V) values[slot(port)];
    }

    /** Where the port is, or else the free slot where it would be. */
    private int slot(int port) {
        int mask = ports.length - 1;
        int slot = port & mask;
        while (ports[slot] != port && ports[slot] != FREE) {
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
