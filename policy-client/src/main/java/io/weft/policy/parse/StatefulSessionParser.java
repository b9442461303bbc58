package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.FilterOverrides.Disabled;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.CookieSession;
import io.weft.policy.model.HttpFilter.HeaderSession;
import io.weft.policy.model.HttpFilter.NoSession;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSession;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState;
import io.weft.policy.proto.envoy.type.http.v3.Cookie;
import io.weft.policy.proto.protobuf.Any;
import java.time.Duration;
import java.util.Locale;

/** {@code envoy.extensions.filters.http.stateful_session.v3}. */
final class StatefulSessionParser {
    private static final String STATE = "envoy.extensions.http.stateful_session.";
    private static final String COOKIE = STATE + "cookie.v3.CookieBasedSessionState";
    private static final String HEADER = STATE + "header.v3.HeaderBasedSessionState";

    private StatefulSessionParser() {}

    static HttpFilter parse(Field field, StatefulSession session) {
        if (!session.hasSessionState()) {
            return new HttpFilter.StatefulSession(new NoSession(), session.getStrict());
        }
        Field at = field.at("session_state").at("typed_config");
        return new HttpFilter.StatefulSession(
                state(at, session.getSessionState().getTypedConfig()), session.getStrict());
    }

    static FilterOverrides.Override override(Field field, StatefulSessionPerRoute route) {
        field.refuseIf(!route.hasStatefulSession() && !route.getDisabled(), "disabled", "must be true; or set stateful_session");
        return route.hasStatefulSession()
                ? new Configured(parse(field.at("stateful_session"), route.getStatefulSession()))
                : new Disabled();
    }

    private static HttpFilter.SessionState state(Field field, Any config) {
        String type = Extensions.typeOf(config);
        try {
            switch (type) {
                case COOKIE:
                    return cookie(field.at("cookie"), CookieBasedSessionState.parseFrom(config.getValue()).getCookie());
                case HEADER:
                    String name = HeaderBasedSessionState.parseFrom(config.getValue()).getName();
                    Field at = field.at("name");
                    return new HeaderSession(at.headerText(at.notEmpty(name)).toLowerCase(Locale.ROOT));
                default:
                    throw field.refuse("session state " + type + " is not supported; use cookie or header");
            }
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + type + ": " + e.getMessage());
        }
    }

    private static HttpFilter.SessionState cookie(Field field, Cookie cookie) {
        Field name = field.at("name");
        Duration ttl = field.at("ttl").notNegative(cookie.getTtl());
        // Envoy takes whole seconds.
        return new CookieSession(
                name.headerText(name.notEmpty(cookie.getName())),
                Duration.ofSeconds(ttl.toSeconds()),
                field.at("path").headerText(cookie.getPath()));
    }
}
