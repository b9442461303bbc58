package io.weft.instrumentation.vertx;

import io.netty.util.ReferenceCountUtil;
import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import java.lang.reflect.Method;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/** One call by which the library's request writes to its stream. */
final class Write {
    private static final AtomicIntegerFieldUpdater<Write> TOLD = AtomicIntegerFieldUpdater.newUpdater(Write.class, "told");
    private static final AtomicIntegerFieldUpdater<Write> RELEASED = AtomicIntegerFieldUpdater.newUpdater(Write.class, "released");

    final Method method;
    final Object[] args;
    /** Nothing of the request follows. */
    final boolean last;
    /** Null: nobody wants to know. */
    private final Handler<AsyncResult<Void>> library;
    private final int body;
    /** Null: nothing is. On the request's context. */
    private AsyncResult<Void> kept;
    /** 1: it is. By whoever comes first, on any thread; so is the other. */
    private volatile int told;
    private volatile int released;

    /** @param body where among the arguments */
    Write(Method method, Object[] args, int body, boolean last, Handler<AsyncResult<Void>> library) {
        this.method = method;
        this.args = args;
        this.body = body;
        this.last = last;
        this.library = library;
    }

    Object body() {
        return args[body];
    }

    /** To be made once more, perhaps. */
    Object[] shared() {
        Object[] shared = args.clone();
        shared[body] = Internals.share(args[body]);
        return shared;
    }

    /** The first time only. */
    void tell(AsyncResult<Void> result) {
        if (library != null && told == 0 && TOLD.compareAndSet(this, 0, 1)) {
            library.handle(result);
        }
    }

    /** Not told unless nothing else comes. Null: forgotten. */
    void keep(AsyncResult<Void> result) {
        kept = result;
    }

    void tellKept() {
        if (kept != null) {
            tell(kept);
        }
    }

    /** It is not made any more. */
    void release() {
        if (args[body] != null && released == 0 && RELEASED.compareAndSet(this, 0, 1)) {
            ReferenceCountUtil.release(args[body]);
        }
    }
}
