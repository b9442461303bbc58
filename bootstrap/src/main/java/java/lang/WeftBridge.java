package java.lang;

import jdk.internal.vm.annotation.Stable;

/**
 * The one class of Weft that every class loader can see. Woven code calls its static methods and nothing else; the agent
 * subclasses it in a loader of its own and installs the subclass once.
 *
 * <p>Every method is safe to call from anywhere: before {@link #install} and after any fault of the agent the woven method
 * goes on as if it had not been woven.
 */
public abstract class WeftBridge {

    /** What {@link #around} gives back when the woven method is to go on. */
    public static final Object PROCEED = new Object();

    private static final int LASTING = 256;

    // What is stable, once it is there, is a constant to the JIT: a woven method then has its handler compiled into it. That saves half
    // of what a hook costs. A JVM that knows no such annotation reads the fields.

    @Stable
    private static WeftBridge installed;

    @Stable
    private final Object[] lasting = new Object[LASTING];

    /** A hook that sleeps costs its method one look at this. Written and read without a barrier. */
    private static final boolean[] asleep = new boolean[LASTING];

    /**
     * Runs once, on the agent's behalf; a later call has no effect.
     *
     * @param bridge safe to hand on without a barrier: all its fields are final
     */
    public static synchronized void install(WeftBridge bridge) {
        if (installed == null) {
            installed = bridge;
        }
    }

    /**
     * At the start of a method. An argument beyond the method's own is null.
     *
     * @return {@link #PROCEED}, or the value that the woven method returns at once
     */
    public static Object around(int hook, Object self, Object a0, Object a1, Object a2, Object a3) {
        WeftBridge bridge = installed;
        if (bridge == null || isAsleep(hook)) {
            return PROCEED;
        }
        Object outcome;
        try {
            outcome = bridge.onAround(hook, self, a0, a1, a2, a3);
        } catch (Throwable fault) {
            bridge.report(hook, fault);
            return PROCEED;
        }
        if (outcome instanceof Thrown thrown) {
            throw WeftBridge.<RuntimeException>unchecked(thrown.throwable);
        }
        return outcome;
    }

    /** At the start of a method whose argument may be replaced: gives the argument to use. */
    public static Object argument(int hook, Object self, Object argument, Object a0, Object a1, Object a2) {
        WeftBridge bridge = installed;
        if (bridge == null || isAsleep(hook)) {
            return argument;
        }
        Object outcome;
        try {
            outcome = bridge.onArgument(hook, self, argument, a0, a1, a2);
        } catch (Throwable fault) {
            bridge.report(hook, fault);
            return argument;
        }
        if (outcome instanceof Thrown thrown) {
            throw WeftBridge.<RuntimeException>unchecked(thrown.throwable);
        }
        return outcome;
    }

    /** Before a method returns normally: gives the value to return. Not called when it throws. */
    public static Object result(int hook, Object self, Object result, Object a0, Object a1, Object a2) {
        WeftBridge bridge = installed;
        if (bridge == null || isAsleep(hook)) {
            return result;
        }
        Object outcome;
        try {
            outcome = bridge.onResult(hook, self, result, a0, a1, a2);
        } catch (Throwable fault) {
            bridge.report(hook, fault);
            return result;
        }
        if (outcome instanceof Thrown thrown) {
            throw WeftBridge.<RuntimeException>unchecked(thrown.throwable);
        }
        return outcome;
    }

    private static boolean isAsleep(int hook) {
        return hook < LASTING && asleep[hook];
    }

    /** The hook does nothing until it is woken, if its number is among those that last; else it is awake. */
    protected static void sleep(int hook) {
        if (hook < LASTING) {
            asleep[hook] = true;
        }
    }

    /** Seen by this thread at once, and by another one with whatever this one hands to it. */
    protected static void wake(int hook) {
        if (hook < LASTING) {
            asleep[hook] = false;
        }
    }

    /** @return what {@link #last} was given; null: nothing */
    protected final Object lasting(int hook) {
        return hook < LASTING ? lasting[hook] : null;
    }

    /**
     * Keeps what a hook's number stands for, for good.
     *
     * @param handler safe to hand on without a barrier; never one that leads to a loader which may go. Another one in its place is seen
     *     only by code that is not compiled yet.
     */
    protected final void last(int hook, Object handler) {
        if (hook < LASTING) {
            lasting[hook] = handler;
        }
    }

    protected abstract Object onAround(int hook, Object self, Object a0, Object a1, Object a2, Object a3) throws Throwable;

    protected abstract Object onArgument(int hook, Object self, Object argument, Object a0, Object a1, Object a2)
            throws Throwable;

    protected abstract Object onResult(int hook, Object self, Object result, Object a0, Object a1, Object a2) throws Throwable;

    /** A fault of the agent, not of the app. Must not throw. */
    protected abstract void report(int hook, Throwable fault);

    /** Says that the woven method must throw this to its caller: the app's own exception, not a fault of the agent. */
    protected static Object thrown(Throwable throwable) {
        return new Thrown(throwable);
    }

    private static final class Thrown {
        private final Throwable throwable;

        private Thrown(Throwable throwable) {
            this.throwable = throwable;
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Throwable throwable) throws T {
        throw (T) throwable;
    }
}
