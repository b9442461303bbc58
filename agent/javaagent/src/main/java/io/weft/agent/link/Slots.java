package io.weft.agent.link;

import io.weft.instrumentation.Handler;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/** The numbers in woven code. A number is given out before the class that holds it is defined, so readers need no lock. */
public final class Slots {
    private volatile Slot[] slots = new Slot[64];
    private int used;
    private final Deque<Integer> free = new ArrayDeque<>();

    Slot get(int number) {
        return slots[number];
    }

    /** Calls nothing but the JDK's collections: safe under any lock of a class loader. */
    synchronized int add(Slot slot) {
        int number = free.isEmpty() ? used++ : free.pop();
        Slot[] table = number < slots.length ? slots : Arrays.copyOf(slots, slots.length * 2);
        table[number] = slot;
        slots = table;
        return number;
    }

    /** A hook of the agent itself, whose value the woven method does not use. */
    public int add(String name, Handler handler) {
        return add(new FixedSlot(name, new Bound(handler, null, true)));
    }

    /** Only when no class that holds the number can be called any more. */
    synchronized void release(int number) {
        slots[number] = null;
        free.push(number);
    }

    /** Numbers in use. */
    public synchronized int size() {
        return used - free.size();
    }
}
