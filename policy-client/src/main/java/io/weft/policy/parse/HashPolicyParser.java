package io.weft.policy.parse;

import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.RouteAction.ReplaceRegex;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code envoy.config.route.v3.RouteAction.HashPolicy}. */
final class HashPolicyParser {
    private HashPolicyParser() {}

    /** @param parent the route action */
    static List<HashPolicy> parse(Field parent, List<RouteAction.HashPolicy> policies) {
        List<HashPolicy> parsed = new ArrayList<>(policies.size());
        for (int i = 0; i < policies.size(); i++) {
            HashPolicy policy = policy(parent.at("hash_policy", i), policies.get(i));
            if (policy != null) {
                parsed.add(policy);
            }
        }
        return parsed;
    }

    /** Null for one that says nothing. */
    private static HashPolicy policy(Field field, RouteAction.HashPolicy policy) {
        boolean terminal = policy.getTerminal();
        switch (policy.getPolicySpecifierCase()) {
            case HEADER:
                return header(field.at("header"), policy.getHeader(), terminal);
            case COOKIE:
                return cookie(field.at("cookie"), policy.getCookie(), terminal);
            case CONNECTION_PROPERTIES:
                return policy.getConnectionProperties().getSourceIp() ? new HashPolicy.SourceAddress(terminal) : null;
            case QUERY_PARAMETER:
                String parameter = policy.getQueryParameter().getName();
                return new HashPolicy.QueryParameter(
                        field.at("query_parameter").at("name").notEmpty(parameter), terminal);
            case FILTER_STATE:
                String key = policy.getFilterState().getKey();
                return new HashPolicy.FilterState(field.at("filter_state").at("key").notEmpty(key), terminal);
            default:
                throw field.refuse("is empty; set header, cookie, connection_properties, query_parameter or filter_state");
        }
    }

    private static HashPolicy header(Field field, RouteAction.HashPolicy.Header header, boolean terminal) {
        Field name = field.at("header_name");
        name.headerText(name.notEmpty(header.getHeaderName()));
        Optional<ReplaceRegex> rewrite = header.hasRegexRewrite()
                ? Optional.of(RouteParser.regexRewrite(field.at("regex_rewrite"), header.getRegexRewrite()))
                : Optional.empty();
        return new HashPolicy.Header(header.getHeaderName().toLowerCase(Locale.ROOT), rewrite, terminal);
    }

    private static HashPolicy cookie(Field field, RouteAction.HashPolicy.Cookie cookie, boolean terminal) {
        Field name = field.at("name");
        name.headerText(name.notEmpty(cookie.getName()));
        Optional<Duration> ttl = Optional.empty();
        if (cookie.hasTtl()) {
            // Envoy takes whole seconds.
            ttl = Optional.of(Duration.ofSeconds(field.at("ttl").notNegative(cookie.getTtl()).toSeconds()));
        }
        List<Map.Entry<String, String>> attributes = new ArrayList<>(cookie.getAttributesCount());
        for (int i = 0; i < cookie.getAttributesCount(); i++) {
            Field at = field.at("attributes", i);
            RouteAction.HashPolicy.CookieAttribute attribute = cookie.getAttributes(i);
            at.at("name").headerText(at.at("name").notEmpty(attribute.getName()));
            attributes.add(Map.entry(attribute.getName(), at.at("value").headerText(attribute.getValue())));
        }
        return new HashPolicy.Cookie(
                cookie.getName(), ttl, field.at("path").headerText(cookie.getPath()), attributes, terminal);
    }
}
