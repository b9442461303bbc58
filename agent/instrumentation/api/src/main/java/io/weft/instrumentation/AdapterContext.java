package io.weft.instrumentation;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import java.lang.invoke.MethodHandles;

/** What an adapter is given. */
public interface AdapterContext {
    Outbound outbound();

    Inbound inbound();

    /** The loader of the library's classes; null for the boot loader. */
    ClassLoader library();

    /**
     * Full access to a class of the library, named as in {@link Class#forName(String)}; for a class in a named module its package
     * must be among the module's {@code opens}.
     */
    MethodHandles.Lookup lookup(String className) throws ReflectiveOperationException;

    /** The hook of this id is to be called from now on: {@link Hook#untilWoken}. */
    void wake(String hook);

    /** The app ran already when the agent came: its servers may listen since before. */
    boolean late();

    /** Says a thing once in the agent's log, at most; for what an operator must know. */
    void warn(String message);

    /**
     * Initializes a class of the adapter whose constants are members of the library.
     *
     * @param adapter may initialize the class
     * @throws ReflectiveOperationException what the class's initializer wrapped: a member that is not there
     */
    static void initialize(MethodHandles.Lookup adapter, Class<?> members) throws ReflectiveOperationException {
        try {
            adapter.ensureInitialized(members);
        } catch (ExceptionInInitializerError e) {
            if (e.getCause() instanceof ReflectiveOperationException missing) {
                throw missing;
            }
            throw e;
        }
    }
}
