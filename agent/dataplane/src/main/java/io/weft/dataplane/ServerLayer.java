package io.weft.dataplane;

/** One concern of requests that come in. Thread-safe. */
abstract class ServerLayer {
    /** The end of the stack, where the app is. */
    static final ServerLayer APP = new App();

    final ServerLayer inner;

    ServerLayer(ServerLayer inner) {
        this.inner = inner;
    }

    void requestStarted() {
        inner.requestStarted();
    }

    /** Called once for each request that started; {@code inner} hears of it first. */
    void requestEnded() {
        inner.requestEnded();
    }

    private static final class App extends ServerLayer {
        App() {
            super(null);
        }

        @Override
        void requestStarted() {}

        @Override
        void requestEnded() {}
    }
}
