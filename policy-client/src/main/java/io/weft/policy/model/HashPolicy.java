package io.weft.policy.model;

import io.weft.policy.model.RouteAction.ReplaceRegex;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code envoy.config.route.v3.RouteAction.HashPolicy}: a part of a request that says which requests belong together. */
public sealed interface HashPolicy {

    /** Whether the policies after this one are left out once there is a hash. */
    boolean terminal();

    /** @param name lower case */
    record Header(String name, Optional<ReplaceRegex> rewrite, boolean terminal) implements HashPolicy {}

    /**
     * @param ttl a cookie is made where there is none, for so long; zero: for the session; empty: none is made
     * @param path of the cookie that is made; may be empty
     * @param attributes of the cookie that is made
     */
    record Cookie(
            String name, Optional<Duration> ttl, String path, List<Map.Entry<String, String>> attributes, boolean terminal)
            implements HashPolicy {
        public Cookie {
            attributes = List.copyOf(attributes);
        }
    }

    /** The address that the request comes from. */
    record SourceAddress(boolean terminal) implements HashPolicy {}

    record QueryParameter(String name, boolean terminal) implements HashPolicy {}

    record FilterState(String key, boolean terminal) implements HashPolicy {}
}
