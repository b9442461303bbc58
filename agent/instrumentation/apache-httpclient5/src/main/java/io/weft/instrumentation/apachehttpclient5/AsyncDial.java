package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Endpoint;
import org.apache.hc.core5.util.Timeout;

/** What one attempt wants of a connection that is made for it. Begun on the thread that asks for one, ended on any. */
final class AsyncDial {
    private final Endpoint endpoint;
    private volatile boolean begun;
    private volatile boolean secured;
    private volatile boolean givenUp;

    /** Null: nothing is being secured. */
    private volatile Securing securing;

    /** The app's; null: none. */
    private Timeout limit;

    private final boolean http2Alone;
    private boolean http2;

    /** @param http2Alone the app's client speaks nothing else */
    AsyncDial(Endpoint endpoint, boolean http2Alone) {
        this.endpoint = endpoint;
        this.http2Alone = http2Alone;
        this.http2 = http2Alone;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** A connection is made for it. */
    void begins() {
        begun = true;
    }

    void within(Timeout limit) {
        this.limit = limit;
    }

    Timeout limit() {
        return limit;
    }

    void speaksHttp2(boolean http2) {
        this.http2 = http2 || http2Alone;
    }

    boolean speaksHttp2Alone() {
        return http2Alone;
    }

    boolean speaksHttp2() {
        return http2;
    }

    /** @return false: nobody wants the connection any more */
    boolean connected(Securing securing) {
        this.securing = securing;
        return !givenUp;
    }

    /** @return false: nobody wants the connection any more */
    boolean secured() {
        secured = true;
        return !givenUp;
    }

    /** Whether a connection that was made for this is as policy wants it: if not, nothing must be sent over it. */
    boolean isAsPolicyWants() {
        return endpoint.tls() == null || !begun || secured;
    }

    /** Nobody wants the connection any more; one that is in use is not touched. */
    void giveUp() {
        givenUp = true;
        Securing underWay = securing;
        if (underWay != null && !secured) {
            underWay.giveUp();
        }
    }
}
