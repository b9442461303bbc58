package io.weft.instrumentation.vertx;

import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.StreamResetException;
import io.vertx.core.http.impl.HttpRequestHead;
import io.vertx.core.http.impl.HttpResponseHead;
import io.weft.dataplane.Demand;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * The stream of a request that the app was given before it has a connection: keeps what is written until there is one, and hands up what
 * comes. One class for an interface that has another shape in each version of the library.
 *
 * <p>Thread rule: the library writes on any thread, and is told on the request's context. What both touch is guarded by this, and nobody
 * is called with that held. But whom it wants told it says before it writes the head, or while it is told: as in its own streams, no more is
 * done about that.
 */
final class MeshStream implements InvocationHandler {
    private final Internals internals;
    private final Hop hop;
    private final Context context;
    private final Object authority;
    private final StandIn standIn;
    private final Object connection;
    private final Object self;

    /** Whom the library wants told, by {@link Listener}; null: nobody. Set again on each stream. */
    private final Handler<?>[] listeners = new Handler<?>[Listener.ALL.length];
    /** What else the library has set, but for what is below; as these. */
    private final List<Call> settings = new ArrayList<>(0);
    private Handler<HttpResponseHead> head;
    private Handler<Object> data;
    private Handler<MultiMap> end;
    private Handler<Throwable> exception;
    private Handler<Long> reset;

    /** Of the response. Until the app pauses it, it wants all. */
    private final Demand demand = new Demand(Long.MAX_VALUE);

    /** Null: nothing was sent. Written once, before the hop is told. */
    private Write first;
    /** What is to be written after it, once there is a connection. */
    private final Queue<Write> unsent = new ArrayDeque<>(2);
    /** The library's own of the attempt under way; null: none. */
    private Object latest;
    /** The same, once it has what was written before it was there: what is written goes to it at once. Written with this held. */
    private volatile Object stream;
    /** Some of the request may have gone out. On the request's context. */
    private boolean begun;
    /** Whoever writes was asked to wait. */
    private boolean full;
    /** What is written is dropped. */
    private boolean answered;
    /** Null: not over. */
    private Throwable failure;

    private record Call(Method method, Object[] args) {}

    MeshStream(Internals internals, Hop hop, Context context, Target target) throws Throwable {
        this.internals = internals;
        this.hop = hop;
        this.context = context;
        authority = internals.authority(target);
        standIn = new StandIn(target, authority);
        connection = internals.newConnection(standIn);
        self = internals.newStream(this);
    }

    /** As the library sees it. */
    Object self() {
        return self;
    }

    Object connection() {
        return connection;
    }

    /** As the library tells the target's; null before there was such a thing. */
    Object authority() {
        return authority;
    }

    /** Of the request. */
    Context context() {
        return context;
    }

    @Override
    @SuppressWarnings("unchecked")
    public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
        switch (method.getName()) {
            case "writeHead":
                return writeHead(method, args);
            case "writeBuffer", "writeChunk":
                return write(method, args, 0, (Boolean) args[1]);
            case "writeFrame":
                return write(method, args, 2, false);
            case "headHandler":
                head = (Handler<HttpResponseHead>) args[0];
                return fluent(method);
            case "chunkHandler", "dataHandler":
                data = (Handler<Object>) args[0];
                return fluent(method);
            case "endHandler", "trailersHandler":
                end = (Handler<MultiMap>) args[0];
                return fluent(method);
            case "exceptionHandler":
                exception = (Handler<Throwable>) args[0];
                return fluent(method);
            case "resetHandler":
                reset = (Handler<Long>) args[0];
                return fluent(method);
            case "closeHandler":
                // The one of the library's stream gives its connection back.
                return fluent(method);
            case "pushHandler":
                return listens(Listener.PUSH, method, args);
            case "continueHandler":
                return listens(Listener.CONTINUE, method, args);
            case "earlyHintsHandler":
                return listens(Listener.EARLY_HINTS, method, args);
            case "drainHandler":
                return listens(Listener.DRAIN, method, args);
            case "priorityHandler", "priorityChangeHandler":
                return listens(Listener.PRIORITY, method, args);
            case "unknownFrameHandler", "customFrameHandler":
                return listens(Listener.CUSTOM_FRAME, method, args);
            case "reset", "writeReset", "cancel":
                return reset(method, args);
            case "version":
                return version();
            case "connection":
                return connection;
            case "getContext", "context":
                return context;
            case "equals":
                return proxy == args[0];
            case "hashCode":
                return System.identityHashCode(proxy);
            case "toString":
                return "stream of " + connection;
            default:
                return method.isDefault() ? InvocationHandler.invokeDefault(proxy, method, args) : other(method, args);
        }
    }

    private Object fluent(Method method) {
        return method.getReturnType() == void.class ? null : self;
    }

    private Object listens(Listener listener, Method method, Object[] args) throws Throwable {
        Handler<?> handler = (Handler<?>) args[0];
        listeners[listener.ordinal()] = handler;
        Object now = stream;
        if (now != null) {
            Internals.listen(now, listener, handler);
        }
        return fluent(method);
    }

    private HttpVersion version() throws Throwable {
        Object now = stream;
        return now == null ? hop.version() : Internals.version(now);
    }

    private Object other(Method method, Object[] args) throws Throwable {
        boolean sets = args != null && args.length == 1;
        switch (method.getName()) {
            case "doPause", "pause" -> demand.pauses(hop.exchange());
            case "doFetch", "fetch" -> demand.asks(hop.exchange(), (Long) args[0]);
            default -> { }
        }
        Object now;
        synchronized (this) {
            now = stream;
            if (now == null) {
                switch (method.getName()) {
                    case "isNotWritable", "writeQueueFull":
                        full = first != null;
                        return full;
                    case "isWritable":
                        full = first != null;
                        return !full;
                    default:
                        break;
                }
            }
            if (now == null && sets) {
                settings.add(new Call(method, args));
            }
        }
        if (now != null) {
            Object result = call(now, method, args);
            return result == now ? self : result;
        }
        if (hop.isReply()) {
            hop.reply().demand(method.getName(), args);
        }
        return method.getReturnType().isInstance(self) ? self : StandIn.nothing(method.getReturnType());
    }

    private static Object call(Object stream, Method method, Object... args) throws Throwable {
        if (method.getName().equals("writeHead")) {
            return Internals.writeHead(stream, args);
        }
        try {
            // Else each call has it checked that the method is public.
            method.trySetAccessible();
            return method.invoke(stream, args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private Object writeHead(Method method, Object[] args) throws Throwable {
        Promise<Void> promise = promise(method);
        Write write = new Write(method, args, 2, (Boolean) args[3], told(promise, args));
        Throwable over;
        synchronized (this) {
            over = failure;
            if (over == null) {
                first = write;
            }
        }
        if (over != null) {
            write.release();
            write.tell(Future.failedFuture(over));
        } else {
            hop.begin((HttpRequestHead) args[0], write.body(), write.last, (Boolean) args[5]);
        }
        return promise == null ? null : promise.future();
    }

    private Object write(Method method, Object[] args, int body, boolean last) throws Throwable {
        Promise<Void> promise = promise(method);
        Write write = new Write(method, args, body, last, told(promise, args));
        Object now = null;
        Throwable over;
        boolean drop;
        synchronized (this) {
            over = failure;
            drop = answered;
            if (over == null && !drop) {
                now = stream;
                if (now == null) {
                    unsent.add(write);
                }
            }
        }
        if (over != null || drop) {
            write.release();
            write.tell(drop ? Future.succeededFuture() : Future.failedFuture(over));
        } else if (now != null) {
            issue(write, now, write.args.clone());
        }
        return promise == null ? null : promise.future();
    }

    /** Null: the library has a handler among the arguments. */
    private Promise<Void> promise(Method method) throws Throwable {
        return method.getReturnType() == void.class ? null : internals.promise(context);
    }

    @SuppressWarnings("unchecked")
    private static Handler<AsyncResult<Void>> told(Promise<Void> promise, Object[] args) {
        if (promise == null) {
            return args[args.length - 1] instanceof Handler<?> handler ? (Handler<AsyncResult<Void>>) handler : null;
        }
        return result -> {
            if (result.succeeded()) {
                promise.complete();
            } else {
                promise.fail(result.cause());
            }
        };
    }

    @SuppressWarnings("unchecked")
    private void issue(Write write, Object to, Object[] args) throws Throwable {
        Handler<AsyncResult<Void>> written = result -> hop.written(write, to, result);
        if (write.method.getReturnType() == void.class) {
            if (args[args.length - 1] == null || args[args.length - 1] instanceof Handler<?>) {
                args[args.length - 1] = written;
            }
            call(to, write.method, args);
        } else {
            ((Future<Void>) call(to, write.method, args)).onComplete(written);
        }
    }

    /**
     * Writes what the app has sent, and from now on what it sends. On the request's context.
     *
     * @param to the library's own
     * @param head as it goes out
     */
    void flowsTo(Object to, Object realConnection, HttpRequestHead head) throws Throwable {
        List<Call> set;
        synchronized (this) {
            latest = to;
            // Mostly there are none.
            set = settings.isEmpty() ? List.of() : List.copyOf(settings);
        }
        standIn.is(realConnection);
        for (Listener listener : Listener.ALL) {
            Handler<?> handler = listeners[listener.ordinal()];
            if (handler != null && (listener != Listener.PUSH || internals.takesPushes(to))) {
                Internals.listen(to, listener, handler);
            }
        }
        for (Call setting : set) {
            call(to, setting.method, setting.args);
        }
        Object[] args = first.shared();
        args[0] = head;
        first.keep(null);
        begun = true;
        issue(first, to, args);
        while (true) {
            Write next;
            boolean drained = false;
            synchronized (this) {
                if (latest != to) {
                    // It has failed at once.
                    return;
                }
                next = unsent.poll();
                if (next == null) {
                    stream = to;
                    drained = full;
                    full = false;
                }
            }
            if (next != null) {
                issue(next, to, next.args.clone());
                continue;
            }
            if (drained) {
                // What the app throws is no fault of the attempt's.
                context.runOnContext(now -> drained(listeners[Listener.DRAIN.ordinal()]));
            }
            return;
        }
    }

    @SuppressWarnings("unchecked")
    private static void drained(Handler<?> handler) {
        if (handler != null) {
            ((Handler<Void>) handler).handle(null);
        }
    }

    boolean hasBegun() {
        return begun;
    }

    /** Until another attempt has one. */
    synchronized void flowsNowhere() {
        latest = null;
        stream = null;
    }

    // What comes from the stream of the attempt that counts, or from the mesh itself. On the request's context.

    void head(HttpResponseHead response) {
        Handler<HttpResponseHead> handler = head;
        if (handler != null) {
            demand.tells(hop.exchange(), 0);
            try {
                handler.handle(response);
            } finally {
                demand.told(hop.exchange());
            }
        }
    }

    void data(Object chunk) {
        Handler<Object> handler = data;
        if (handler != null) {
            demand.tells(hop.exchange(), 1);
            try {
                handler.handle(chunk);
            } finally {
                demand.told(hop.exchange());
            }
        }
    }

    void end(MultiMap trailers) {
        Handler<MultiMap> handler = end;
        if (handler != null) {
            handler.handle(trailers);
        }
    }

    void exception(Throwable cause) {
        Handler<Throwable> handler = exception;
        if (handler != null) {
            handler.handle(cause);
        }
    }

    void reset(Long code) {
        Handler<Long> handler = reset;
        if (handler != null) {
            handler.handle(code);
        }
    }

    /** The mesh answers, whatever the app goes on to send. */
    void answered() {
        List<Write> pending;
        synchronized (this) {
            answered = true;
            pending = pending();
        }
        for (Write write : pending) {
            write.release();
            write.tell(Future.succeededFuture());
        }
    }

    /** Nothing more is written of what waits. */
    void over(Throwable cause) {
        List<Write> pending;
        synchronized (this) {
            failure = cause;
            pending = pending();
        }
        for (Write write : pending) {
            write.release();
            write.tell(Future.failedFuture(cause));
        }
    }

    private List<Write> pending() {
        List<Write> pending = new ArrayList<>(unsent);
        unsent.clear();
        if (first != null) {
            pending.add(0, first);
        }
        return pending;
    }

    /** No attempt sends the request once more. */
    void keepsNothing() {
        if (first != null) {
            first.release();
            first.tellKept();
        }
    }

    /** The app has enough. */
    private Object reset(Method method, Object[] args) throws Throwable {
        Throwable cause = args != null && args[0] instanceof Throwable given
                ? given
                : new StreamResetException(args != null && args[0] instanceof Long code ? code : 0x8);
        Object to = hop.cancel(cause);
        if (to != null) {
            return call(to, method, args);
        }
        if (method.getReturnType() == void.class) {
            return null;
        }
        Promise<Object> promise = internals.promise(context);
        promise.complete(method.getName().equals("cancel") ? Boolean.TRUE : null);
        return promise.future();
    }
}
