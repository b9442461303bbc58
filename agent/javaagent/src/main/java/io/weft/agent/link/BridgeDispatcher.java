package io.weft.agent.link;

import io.weft.agent.log.AgentLog;
import io.weft.instrumentation.Handler;

/** The agent's end of the bridge: from a hook's number to its handler. Runs on the app's request threads. */
public final class BridgeDispatcher extends WeftBridge {
    private final Slots slots;
    private final AgentLog log;

    public BridgeDispatcher(Slots slots, AgentLog log) {
        this.slots = slots;
        this.log = log;
    }

    static void letSleep(int hook) {
        sleep(hook);
    }

    static void awaken(int hook) {
        wake(hook);
    }

    private Bound bound(int hook) {
        Bound lasting = (Bound) lasting(hook);
        return lasting == null ? look(hook) : lasting;
    }

    private Bound look(int hook) {
        Slot slot = slots.get(hook);
        Bound bound = slot.bound();
        if (slot.isLasting() && bound.handler() != null) {
            last(hook, bound);
        }
        return bound;
    }

    @Override
    protected Object onAround(int hook, Object self, Object a0, Object a1, Object a2, Object a3) throws Throwable {
        Bound bound = bound(hook);
        Handler.Around handler = (Handler.Around) bound.handler();
        if (handler == null) {
            return PROCEED;
        }
        Object outcome = handler.around(self, a0, a1, a2, a3);
        if (outcome == Handler.PROCEED) {
            return PROCEED;
        }
        return outcome instanceof Handler.Thrown thrown ? thrown(thrown.throwable()) : bound.fitting(outcome);
    }

    @Override
    protected Object onArgument(int hook, Object self, Object argument, Object a0, Object a1, Object a2) throws Throwable {
        Bound bound = bound(hook);
        Handler.Argument handler = (Handler.Argument) bound.handler();
        return handler == null ? argument : replacement(bound, argument, handler.argument(self, argument, a0, a1, a2));
    }

    @Override
    protected Object onResult(int hook, Object self, Object result, Object a0, Object a1, Object a2) throws Throwable {
        Bound bound = bound(hook);
        Handler.Result handler = (Handler.Result) bound.handler();
        return handler == null ? result : replacement(bound, result, handler.result(self, result, a0, a1, a2));
    }

    private static Object replacement(Bound bound, Object original, Object outcome) {
        if (outcome == original) {
            return original;
        }
        return outcome instanceof Handler.Thrown thrown ? thrown(thrown.throwable()) : bound.fitting(outcome);
    }

    @Override
    protected void report(int hook, Throwable fault) {
        try {
            Slot slot = slots.get(hook);
            if (fault instanceof LinkageError) {
                slot.turnOff();
                if (slot.isLasting()) {
                    last(hook, Bound.OFF);
                }
            }
            log.faultOnce("fault " + slot.name(), "a fault in " + slot.name() + "; the app goes on without the mesh there", fault);
        } catch (Throwable beyondReport) {
            // Nothing may reach the app from here, and the log itself is what failed.
            return;
        }
    }
}
