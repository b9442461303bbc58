package io.weft.agent.link;

/** What a hook number in woven code stands for. */
interface Slot {
    /** @return never null; {@link Bound#OFF} when there is no handler */
    Bound bound();

    /** Whether the handler leads to no loader that may go before the JVM does. */
    boolean isLasting();

    /** For people: which library and hook. */
    String name();

    /** A fault that every further call would repeat: the hook does nothing from now on. */
    void turnOff();
}
