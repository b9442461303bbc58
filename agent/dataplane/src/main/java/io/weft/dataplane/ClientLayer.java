package io.weft.dataplane;

/**
 * One concern of a request that goes out. What a layer knows of a request it keeps in the {@link Exchange}; itself it is
 * immutable and thread-safe. A layer that has nothing to say about a connection does not override those methods. The others, which
 * every request passes, each layer has for itself: the one call site of an inherited method could not be inlined.
 */
abstract class ClientLayer {
    /** The end of the stack, where the library does its I/O. */
    static final ClientLayer DIAL = new Dial();

    final ClientLayer inner;

    ClientLayer(ClientLayer inner) {
        this.inner = inner;
    }

    /**
     * Before an attempt; a layer asks {@code inner} after it has agreed.
     *
     * @return false: {@link Exchange#reply} is the answer, unless {@link Exchange#waiting}
     */
    abstract boolean attempt(Exchange exchange);

    /** The attempt has its connection. Called at most once for an attempt. */
    void connected(Exchange exchange) {
        inner.connected(exchange);
    }

    /** All of a body that can be sent only once is sent. Called at most once for an exchange. */
    void requestSent(Exchange exchange) {
        inner.requestSent(exchange);
    }

    /** A response head came, or the attempt failed; {@code inner} hears of it first. Called once for an attempt. */
    abstract void outcome(Exchange exchange);

    /**
     * The attempt is over, with its response's body where there is one. Also called when an attempt was refused half-way, and
     * for an exchange that is given up between attempts.
     */
    abstract void release(Exchange exchange);

    private static final class Dial extends ClientLayer {
        Dial() {
            super(null);
        }

        @Override
        boolean attempt(Exchange exchange) {
            return true;
        }

        @Override
        void connected(Exchange exchange) {}

        @Override
        void requestSent(Exchange exchange) {}

        @Override
        void outcome(Exchange exchange) {}

        @Override
        void release(Exchange exchange) {}
    }
}
