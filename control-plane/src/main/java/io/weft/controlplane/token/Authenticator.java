package io.weft.controlplane.token;

import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Whose a token is. Thread-safe, and never blocks. */
@FunctionalInterface
public interface Authenticator {

    /**
     * @param token empty: none came
     * @param host the address that the call comes from, so that one alone cannot keep all others waiting; empty: not known
     * @return that it proves something or nothing; a {@link io.grpc.StatusRuntimeException}: nobody can say now, so that nothing is
     *     served
     */
    CompletionStage<Bearer> authenticate(Optional<String> token, String host);
}
