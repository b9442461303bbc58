package io.weft.instrumentation.vertx;

import io.netty.util.ReferenceCountUtil;
import io.vertx.core.AsyncResult;
import io.vertx.core.Handler;
import java.lang.reflect.Method;

/** One call by which the library's request writes to its stream. */
final class Write {
    final Method method;
    final Object[] args;
    /** Nothing of the request follows. */
    final boolean last;
    /** Null: nobody wants to know. */
    private final Handler<AsyncResult<Void>> library;
    private final int body;
    /** Null: nothing is. */
    private AsyncResult<Void> kept;
    private boolean told;
    private boolean released;

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
        synchronized (this) {
            if (told) {
                return;
            }
            told = true;
        }
        if (library != null) {
            library.handle(result);
        }
    }

    /** Not told unless nothing else comes. Null: forgotten. */
    synchronized void keep(AsyncResult<Void> result) {
        kept = result;
    }

    void tellKept() {
        AsyncResult<Void> result;
        synchronized (this) {
            result = kept;
        }
        if (result != null) {
            tell(result);
        }
    }

    /** It is not made any more. */
    void release() {
        synchronized (this) {
            if (released) {
                return;
            }
            released = true;
        }
        ReferenceCountUtil.release(args[body]);
    }
}
