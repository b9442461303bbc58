package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.common.util.TimeoutMode;
import com.linecorp.armeria.internal.common.CancellationScheduler;
import com.linecorp.armeria.internal.common.CancellationScheduler.CancellationTask;
import io.netty.util.concurrent.EventExecutor;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;

/**
 * What ends a request when the app's patience is over, or the app has cancelled it. The library has it in three shapes: up to 1.26, up to
 * 1.29 and later. Thread-safe.
 */
abstract class Schedulers {
    private static final String SCHEDULER = "com.linecorp.armeria.internal.common.CancellationScheduler";
    private static final MethodType TAKES_TASK = MethodType.methodType(void.class, CancellationTask.class);

    /** Read once, by {@link Handles}. */
    private static volatile AdapterContext context;

    static Schedulers of(AdapterContext context) throws ReflectiveOperationException {
        Schedulers.context = context;
        try {
            return new Current();
        } catch (NoSuchMethodException older) {
            return new Older(context.lookup(SCHEDULER));
        }
    }

    /** Before anything is sent: what to do when the app has enough. */
    abstract void begin(CancellationScheduler scheduler, CancellationTask task) throws Throwable;

    /** There is a connection. */
    abstract void connected(ClientRequestContext app, CancellationScheduler scheduler) throws Throwable;

    /** The request is sent, or its response begins: the time counts from now on. Again it does nothing. */
    abstract void start(ClientRequestContext app, CancellationScheduler scheduler, CancellationTask task) throws Throwable;

    /** The response is over. */
    abstract void stop(CancellationScheduler scheduler) throws Throwable;

    /** A context was derived from the app's. */
    abstract void derived(ClientRequestContext app) throws Throwable;

    private static MethodHandle find(Lookup lookup, String name, MethodType type) throws ReflectiveOperationException {
        return lookup.findVirtual(CancellationScheduler.class, name, type);
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Handles {
        static final MethodHandle UPDATE;
        static final MethodHandle START;
        static final MethodHandle CANCEL;
        /** Null in older versions: the time counts from when the request is sent. */
        static final MethodHandle MODE;
        static final Object FROM_START;
        static final Object FROM_CONNECTION;
        static final Object FROM_SENT;

        static {
            AdapterContext context = Schedulers.context;
            try {
                Lookup lookup = context.lookup(SCHEDULER);
                UPDATE = find(lookup, "updateTask", TAKES_TASK);
                START = find(lookup, "start", MethodType.methodType(void.class));
                CANCEL = find(lookup, "cancelScheduled", MethodType.methodType(boolean.class));
                Class<?> type = modes(context);
                MODE = type == null
                        ? null
                        : lookup.findVirtual(ClientRequestContext.class, "responseTimeoutMode", MethodType.methodType(type))
                                .asType(MethodType.methodType(Object.class, ClientRequestContext.class));
                FROM_START = mode(type, "FROM_START");
                FROM_CONNECTION = mode(type, "CONNECTION_ACQUIRED");
                FROM_SENT = mode(type, "REQUEST_SENT");
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static Class<?> modes(AdapterContext context) throws ReflectiveOperationException {
            try {
                return context.lookup("com.linecorp.armeria.client.ResponseTimeoutMode").lookupClass();
            } catch (ClassNotFoundException older) {
                return null;
            }
        }

        private static Object mode(Class<?> type, String name) throws ReflectiveOperationException {
            return type == null ? name : type.getField(name).get(null);
        }
    }

    private static final class Current extends Schedulers {
        Current() throws ReflectiveOperationException {
            AdapterContext.initialize(MethodHandles.lookup(), Handles.class);
        }

        private static boolean counts(ClientRequestContext app, Object from) throws Throwable {
            return (Handles.MODE == null ? Handles.FROM_SENT : (Object) Handles.MODE.invokeExact(app)) == from;
        }

        @Override
        void begin(CancellationScheduler scheduler, CancellationTask task) throws Throwable {
            Handles.UPDATE.invokeExact(scheduler, task);
        }

        @Override
        void connected(ClientRequestContext app, CancellationScheduler scheduler) throws Throwable {
            if (counts(app, Handles.FROM_CONNECTION)) {
                Handles.START.invokeExact(scheduler);
            }
        }

        @Override
        void start(ClientRequestContext app, CancellationScheduler scheduler, CancellationTask task) throws Throwable {
            if (counts(app, Handles.FROM_SENT)) {
                Handles.START.invokeExact(scheduler);
            }
        }

        @Override
        void stop(CancellationScheduler scheduler) throws Throwable {
            boolean ignored = (boolean) Handles.CANCEL.invokeExact(scheduler);
        }

        /** The library takes the derived one's time for the app's, which has begun in this case. */
        @Override
        void derived(ClientRequestContext app) throws Throwable {
            if (app.responseTimeoutMillis() > 0 && counts(app, Handles.FROM_START)) {
                app.setResponseTimeoutMillis(TimeoutMode.SET_FROM_START, app.responseTimeoutMillis());
            }
        }
    }

    private static final class Older extends Schedulers {
        private final MethodHandle init;
        private final MethodHandle clear;
        private final boolean takesTime;

        Older(Lookup lookup) throws ReflectiveOperationException {
            clear = find(lookup, "clearTimeout", MethodType.methodType(void.class, boolean.class));
            MethodHandle oldest = null;
            MethodHandle begun = null;
            try {
                begun = find(lookup, "start", TAKES_TASK);
            } catch (NoSuchMethodException older) {
                oldest = find(lookup, "init",
                        MethodType.methodType(void.class, EventExecutor.class, CancellationTask.class, long.class, boolean.class));
            }
            takesTime = oldest != null;
            init = takesTime ? oldest : begun;
        }

        @Override
        void begin(CancellationScheduler scheduler, CancellationTask task) {}

        @Override
        void connected(ClientRequestContext app, CancellationScheduler scheduler) {}

        @Override
        void start(ClientRequestContext app, CancellationScheduler scheduler, CancellationTask task) throws Throwable {
            if (takesTime) {
                init.invokeExact(scheduler, (EventExecutor) app.eventLoop().withoutContext(), task, 0L, false);
            } else {
                init.invokeExact(scheduler, task);
            }
        }

        @Override
        void stop(CancellationScheduler scheduler) throws Throwable {
            clear.invokeExact(scheduler, false);
        }

        @Override
        void derived(ClientRequestContext app) {}
    }
}
