package io.weft.instrumentation.javanethttp;

import java.net.http.HttpResponse.BodyHandler;

/** There is no response; the mesh has tried as often as policy allows. Not for the JDK to try the same once more. */
final class GivenUp extends Body {
    private final Throwable failure;

    GivenUp(Throwable failure) {
        this.failure = failure;
        complete(null);
    }

    Throwable failure() {
        return failure;
    }

    @Override
    Object read(Object exchange, BodyHandler<?> handler) {
        return failedFuture(failure);
    }

    @Override
    Object ignore(Object exchange) {
        return this;
    }

    @Override
    Object none(Object exchange) {
        return this;
    }
}
