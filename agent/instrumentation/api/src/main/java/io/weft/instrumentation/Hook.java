package io.weft.instrumentation;

/**
 * One method that is woven. Several hooks at the start of one method run in the module's order.
 *
 * @param id the adapter finds its handler by this name, as in {@code send-async}
 * @param className as in {@code org.apache.catalina.connector.Connector}
 * @param method name
 * @param descriptor as in {@code (Ljava/lang/String;I)V}; empty: every overload, static or not
 * @param kind what the woven code does
 * @param argument the replaced argument's index from 0, for {@link Kind#ARGUMENT}
 * @param optional the module attaches without it when the app's version of the library has no such method
 * @param asleep may do nothing until {@link AdapterContext#wake}
 * @param neededBy class name of the only one of the module's adapters that does not do without it; null: none does, unless it is optional
 */
public record Hook(
        String id, String className, String method, String descriptor, Kind kind, int argument, boolean optional, boolean asleep,
        String neededBy) {

    public enum Kind {
        /** At the start; may return in the method's place, and what it returns no RESULT hook sees. Not for constructors. */
        AROUND,
        /** At the start; may replace one argument. */
        ARGUMENT,
        /** Before every normal return; may replace the result. A constructor's result is the new object, which stays. */
        RESULT
    }

    public static Hook around(String id, String className, String method, String descriptor) {
        return new Hook(id, className, method, descriptor, Kind.AROUND, -1, false, false, null);
    }

    public static Hook argument(String id, String className, String method, String descriptor, int argument) {
        return new Hook(id, className, method, descriptor, Kind.ARGUMENT, argument, false, false, null);
    }

    public static Hook result(String id, String className, String method, String descriptor) {
        return new Hook(id, className, method, descriptor, Kind.RESULT, -1, false, false, null);
    }

    /** The same hook, not needed for the module to attach. */
    public Hook whenPresent() {
        return new Hook(id, className, method, descriptor, kind, argument, true, asleep, neededBy);
    }

    /** The same hook, which one adapter needs to attach, and the module's others do not. */
    public Hook neededBy(String adapter) {
        return new Hook(id, className, method, descriptor, kind, argument, optional, asleep, adapter);
    }

    /** Whether a version of the library that has no such method is none for that adapter. */
    public boolean isNeededBy(String adapter) {
        return !optional && (neededBy == null || neededBy.equals(adapter));
    }

    /**
     * The same hook, for what few apps need: until the adapter wakes it, it costs next to nothing. Where the library's loader may go
     * before the JVM does, it is awake from the beginning.
     */
    public Hook untilWoken() {
        return new Hook(id, className, method, descriptor, kind, argument, optional, true, neededBy);
    }

    Hook relocated(Relocation to) {
        return new Hook(id, to.apply(className), method, to.apply(descriptor), kind, argument, optional, asleep, neededBy);
    }
}
