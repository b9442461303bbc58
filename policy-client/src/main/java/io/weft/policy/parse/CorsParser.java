package io.weft.policy.parse;

import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.StringMatch;
import io.weft.policy.proto.envoy.extensions.filters.http.cors.v3.CorsPolicy;
import io.weft.policy.proto.protobuf.BoolValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code envoy.extensions.filters.http.cors.v3}. */
final class CorsParser {
    private static final Fraction ALWAYS = new Fraction(100, 100);

    private CorsParser() {}

    static HttpFilter policy(Field field, CorsPolicy policy) {
        field.reportIf(policy.hasShadowEnabled(), "shadow_enabled");
        List<StringMatch> origins = new ArrayList<>(policy.getAllowOriginStringMatchCount());
        for (int i = 0; i < policy.getAllowOriginStringMatchCount(); i++) {
            origins.add(MatchParser.string(field.at("allow_origin_string_match", i), policy.getAllowOriginStringMatch(i)));
        }
        return new HttpFilter.Cors(Optional.of(new HttpFilter.CorsPolicy(
                origins,
                field.at("allow_methods").headerText(policy.getAllowMethods()),
                field.at("allow_headers").headerText(policy.getAllowHeaders()),
                field.at("expose_headers").headerText(policy.getExposeHeaders()),
                field.at("max_age").headerText(policy.getMaxAge()),
                value(policy.hasAllowCredentials(), policy.getAllowCredentials()),
                value(policy.hasAllowPrivateNetworkAccess(), policy.getAllowPrivateNetworkAccess()),
                value(policy.hasForwardNotMatchingPreflights(), policy.getForwardNotMatchingPreflights()),
                policy.hasFilterEnabled()
                        ? MatchParser.fraction(field.at("filter_enabled"), policy.getFilterEnabled())
                        : ALWAYS)));
    }

    private static Optional<Boolean> value(boolean present, BoolValue value) {
        return present ? Optional.of(value.getValue()) : Optional.empty();
    }
}
