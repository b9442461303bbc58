package io.weft.controlplane.port;

import io.grpc.Context;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.token.Bearer;

/** The connection that a call came over. Thread-safe. */
@FunctionalInterface
public interface Connection {

    /** With the default for calls that come over no port, as in one process. */
    Context.Key<Connection> CURRENT = Context.keyWithDefault("connection", bearer -> {});

    /** Of the call that is being served. */
    static Connection current() {
        return CURRENT.get();
    }

    /**
     * Somebody on it has been let in, so it may stay.
     *
     * @throws Admission.RefusedException as many connections as may be have shown this token
     */
    void admitted(Bearer bearer) throws Admission.RefusedException;
}
