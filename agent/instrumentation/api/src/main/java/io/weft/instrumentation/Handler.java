package io.weft.instrumentation;

/**
 * What a woven method calls. Runs on the app's thread, often, and from several threads at once. Whatever it throws is a fault
 * of the agent: it is logged once and the woven method goes on as without the mesh; so is a value of a type that does not fit.
 * After a {@link LinkageError} the hook does nothing any more, but for methods that the JIT has compiled it into: those go on asking, and
 * go on without the mesh. An exception for the app is returned as {@link Thrown}.
 */
public sealed interface Handler {

    /** Returned by {@link Around}: go on with the method's own code. */
    Object PROCEED = new Object() {
        @Override
        public String toString() {
            return "PROCEED";
        }
    };

    /** Returned by any handler: the woven method throws this to its caller. */
    record Thrown(Throwable throwable) {}

    /** Absent arguments are null; {@code self} is null in a static method. Only the first four arguments are passed. */
    @FunctionalInterface
    non-sealed interface Around extends Handler {
        /** @return {@link #PROCEED}, or the value to return in the method's place (anything for void) */
        Object around(Object self, Object a0, Object a1, Object a2, Object a3) throws Throwable;
    }

    /** Only the first three arguments are passed beside the one that may be replaced. {@code self} is null in a constructor. */
    @FunctionalInterface
    non-sealed interface Argument extends Handler {
        Object argument(Object self, Object argument, Object a0, Object a1, Object a2) throws Throwable;
    }

    /**
     * Only the first three arguments are passed, with the values that they have at the end; null where an optimizing compiler has
     * dropped one.
     */
    @FunctionalInterface
    non-sealed interface Result extends Handler {
        Object result(Object self, Object result, Object a0, Object a1, Object a2) throws Throwable;
    }
}
