package io.weft.instrumentation.tomcat;

import org.apache.coyote.ActionCode;
import org.apache.coyote.AsyncContextCallback;
import org.apache.coyote.Request;

/**
 * A request that is held up before the app sees it. It waits as an asynchronous servlet does, in Tomcat's own state machine: no
 * thread is held, timeouts and a caller that goes away are Tomcat's to notice, and a thread of Tomcat's takes it up again. Sleeping in
 * place would take a thread from the app's other requests for each one that is delayed.
 */
final class Wait implements AsyncContextCallback {
    private final Request request;
    /** Guarded by this object's lock, so that nothing is dispatched for a request that is over and recycled. */
    private boolean over;

    private Wait(Request request) {
        this.request = request;
    }

    static void begin(IncomingRequest incoming) {
        Request request = incoming.request();
        Wait wait = new Wait(request);
        incoming.waits(wait);
        request.action(ActionCode.ASYNC_START, wait);
        incoming.afterDelay(wait::dispatch);
    }

    private synchronized void dispatch() {
        if (!over) {
            request.action(ActionCode.ASYNC_DISPATCH, null);
        }
    }

    synchronized void end() {
        over = true;
    }

    @Override
    public void fireOnComplete() {}

    @Override
    public boolean isAvailable() {
        return true;
    }

    @Override
    public void incrementInProgressAsyncCount() {}

    @Override
    public void decrementInProgressAsyncCount() {}
}
