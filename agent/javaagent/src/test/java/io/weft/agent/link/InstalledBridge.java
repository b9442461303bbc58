package io.weft.agent.link;

import io.weft.agent.log.AgentLog;
import io.weft.instrumentation.Handler;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The bridge of this JVM takes one dispatcher for life; this one goes on to the current test's. */
public final class InstalledBridge extends WeftBridge {
    private static final InstalledBridge ONLY = new InstalledBridge();

    private volatile BridgeDispatcher dispatcher;

    static {
        WeftBridge.install(ONLY);
    }

    private InstalledBridge() {}

    /** Slots of their own, and a log to look into, for one test. */
    public static final class Scene {
        public final Slots slots = new Slots();
        private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
        public final AgentLog log = AgentLog.to(AgentLog.Level.DEBUG, lines);

        public Scene() {
            ONLY.dispatcher = new BridgeDispatcher(slots, log);
        }

        /** A slot whose value is not checked. */
        public int add(Handler handler) {
            return slots.add(new FixedSlot("test", new Bound(handler, null, true)));
        }

        public String logged() {
            return lines.toString(StandardCharsets.UTF_8);
        }
    }

    @Override
    protected Object onAround(int hook, Object self, Object a0, Object a1, Object a2, Object a3) throws Throwable {
        return dispatcher.onAround(hook, self, a0, a1, a2, a3);
    }

    @Override
    protected Object onArgument(int hook, Object self, Object argument, Object a0, Object a1, Object a2) throws Throwable {
        return dispatcher.onArgument(hook, self, argument, a0, a1, a2);
    }

    @Override
    protected Object onResult(int hook, Object self, Object result, Object a0, Object a1, Object a2) throws Throwable {
        return dispatcher.onResult(hook, self, result, a0, a1, a2);
    }

    @Override
    protected void report(int hook, Throwable fault) {
        dispatcher.report(hook, fault);
    }
}
