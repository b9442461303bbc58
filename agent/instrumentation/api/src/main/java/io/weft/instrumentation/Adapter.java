package io.weft.instrumentation;

/**
 * A library's types on one side, the mesh's on the other. Has a public constructor that takes an {@link AdapterContext};
 * made once per app loader, when the first woven method is called, on that thread. Threads that come at the same time may each
 * make one, of which one is kept: the constructor must not have effects outside its object.
 */
public interface Adapter {
    /**
     * @param hook the {@link Hook#id}
     * @return never null
     */
    Handler handler(String hook);
}
