package io.weft.dataplane.jwt;

import io.weft.policy.model.JwtAuthentication.RemoteKeys;
import java.util.function.Consumer;

/** Fetches key sets over the endpoints of a cluster. Never blocks. */
@FunctionalInterface
public interface KeyFetcher {
    /**
     * One attempt.
     *
     * @param onBody told the body of a 200 response, or null after anything else, once, on any thread, within the timeout
     */
    void fetch(RemoteKeys keys, Consumer<String> onBody);
}
