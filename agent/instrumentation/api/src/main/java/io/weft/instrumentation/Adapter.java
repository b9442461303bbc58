package io.weft.instrumentation;

/**
 * A library's types on one side, the mesh's on the other. Has a public constructor that takes an {@link AdapterContext};
 * made once per app loader, when the first woven method is called.
 */
public interface Adapter {
    /**
     * @param hook the {@link Hook#id}
     * @return never null
     */
    Handler handler(String hook);
}
