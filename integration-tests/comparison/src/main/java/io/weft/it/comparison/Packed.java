package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.extensions.filters.http.buffer.v3.BufferPerRoute;
import io.envoyproxy.envoy.extensions.filters.http.cors.v3.CorsPolicy;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBACPerRoute;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.envoyproxy.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.envoyproxy.envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState;
import io.envoyproxy.envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState;
import java.util.List;
import java.util.Optional;

/** The messages that generators pack into others, to print and to shrink them. */
final class Packed {
    static final List<Message> TYPES = List.of(
            Router.getDefaultInstance(),
            RBAC.getDefaultInstance(),
            RBACPerRoute.getDefaultInstance(),
            CorsPolicy.getDefaultInstance(),
            HTTPFault.getDefaultInstance(),
            HeaderMutationPerRoute.getDefaultInstance(),
            LocalRateLimit.getDefaultInstance(),
            Config.getDefaultInstance(),
            PerRouteConfig.getDefaultInstance(),
            BufferPerRoute.getDefaultInstance(),
            StatefulSessionPerRoute.getDefaultInstance(),
            CookieBasedSessionState.getDefaultInstance(),
            HeaderBasedSessionState.getDefaultInstance());

    private Packed() {}

    /** What is packed, if it is one of these. */
    static Optional<Message> unpack(Message any) {
        try {
            Any packed = Any.parseFrom(any.toByteString());
            for (Message type : TYPES) {
                if (packed.getTypeUrl().endsWith("/" + type.getDescriptorForType().getFullName())) {
                    return Optional.of(type.getParserForType().parseFrom(packed.getValue()));
                }
            }
            return Optional.empty();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }
}
