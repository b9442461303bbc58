package io.weft.agent.link;

/** A hook of the agent itself: there is one, of no library. */
final class FixedSlot implements Slot {
    private final String name;
    private volatile Bound bound;

    FixedSlot(String name, Bound bound) {
        this.name = name;
        this.bound = bound;
    }

    @Override
    public Bound bound() {
        return bound;
    }

    @Override
    public boolean isLasting() {
        return true;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void turnOff() {
        bound = Bound.OFF;
    }
}
