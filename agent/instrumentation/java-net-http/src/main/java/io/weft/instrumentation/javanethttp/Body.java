package io.weft.instrumentation.javanethttp;

import java.net.http.HttpResponse.BodyHandler;
import java.util.concurrent.CompletableFuture;

/**
 * What the mesh knows of an exchange. It is kept in the exchange's {@code bodyIgnored}, the JDK's own
 * mark for a body that is not to be read from the connection: no map, no lock, nothing to leak. Once there may be a body, it is complete, as
 * the JDK's own is.
 */
abstract sealed class Body extends CompletableFuture<Void> permits LocalBody, RemoteBody, GivenUp, UnderWay {

    /** The app's handler is to be given the body. */
    abstract Object read(Object exchange, BodyHandler<?> handler) throws Throwable;

    /** A redirect or challenge: the JDK asks again and does not want the body. */
    abstract Object ignore(Object exchange) throws Throwable;

    /** After the response: the app's cookie jar or authenticator threw, and the JDK does not begin with the body. */
    void failed() {}

    /** A status that has no body: the app's handler was already called. */
    abstract Object none(Object exchange);
}
