package io.weft.instrumentation;

import io.weft.dataplane.Exchange;
import java.net.ConnectException;

/**
 * A request that the mesh has taken and cannot send, by a fault of the agent. The library would send it by itself, in plaintext and past
 * all that policy says.
 */
public final class Unsent {
    private Unsent() {}

    /**
     * What the app is told.
     *
     * @throws Throwable the fault, where policy lets the library send the request by itself
     */
    public static ConnectException failure(Exchange exchange, Throwable fault) throws Throwable {
        if (exchange.mayFailOpen()) {
            throw fault;
        }
        return because(fault);
    }

    /** What the app is told where policy does not matter any more. */
    public static ConnectException because(Throwable fault) {
        ConnectException failure = new ConnectException("the mesh could not send the request: " + fault);
        failure.initCause(fault);
        return failure;
    }
}
