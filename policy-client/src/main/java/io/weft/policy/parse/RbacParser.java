package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.Engine;
import io.weft.policy.model.Rbac.NamedAction;
import io.weft.policy.model.Rbac.Policy;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.StringMatch;
import io.weft.policy.parse.MatchTreeParser.Scope;
import io.weft.policy.proto.envoy.config.rbac.v3.Permission;
import io.weft.policy.proto.envoy.config.rbac.v3.Principal;
import io.weft.policy.proto.envoy.config.rbac.v3.RBAC;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBACPerRoute;
import io.weft.policy.proto.envoy.type.matcher.v3.FilterStateMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.PathMatcher;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The RBAC filters for requests and for connections. What cannot be evaluated is refused: a rule that is left out would let
 * somebody in or lock somebody out.
 */
final class RbacParser {
    private static final String ACTION = "envoy.config.rbac.v3.Action";
    /** One more than the highest port, as in Envoy. */
    private static final int MAX_PORT_BOUND = 65_536;

    private final Scope scope;
    private final MatchTreeParser<NamedAction> trees;

    private RbacParser(Scope scope) {
        this.scope = scope;
        trees = new MatchTreeParser<>(scope, RbacParser::namedAction);
    }

    /** {@code envoy.extensions.filters.http.rbac.v3.RBAC}. */
    static Rbac http(Field field, ByteString config) throws InvalidProtocolBufferException {
        return http(field, io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.parseFrom(config));
    }

    /** {@code envoy.extensions.filters.http.rbac.v3.RBACPerRoute}; without rules in it nothing is forbidden on the route. */
    static Rbac perRoute(Field field, ByteString config) throws InvalidProtocolBufferException {
        RBACPerRoute perRoute = RBACPerRoute.parseFrom(config);
        return perRoute.hasRbac()
                ? http(field.at("rbac"), perRoute.getRbac())
                : new Rbac(Optional.empty(), Optional.empty());
    }

    private static Rbac http(Field field, io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC rbac) {
        RbacParser parser = new RbacParser(Scope.REQUEST);
        return new Rbac(
                parser.engine(field, "", rbac.hasRules() ? rbac.getRules() : null, rbac.hasMatcher() ? rbac.getMatcher() : null),
                parser.engine(
                        field,
                        "shadow_",
                        rbac.hasShadowRules() ? rbac.getShadowRules() : null,
                        rbac.hasShadowMatcher() ? rbac.getShadowMatcher() : null));
    }

    /** {@code envoy.extensions.filters.network.rbac.v3.RBAC}. */
    static Rbac network(Field field, ByteString config) throws InvalidProtocolBufferException {
        var rbac = io.weft.policy.proto.envoy.extensions.filters.network.rbac.v3.RBAC.parseFrom(config);
        field.at("stat_prefix").notEmpty(rbac.getStatPrefix());
        // A connection that is denied is closed, only at once.
        field.reportIf(rbac.hasDelayDeny(), "delay_deny");
        RbacParser parser = new RbacParser(Scope.CONNECTION);
        return new Rbac(
                parser.engine(field, "", rbac.hasRules() ? rbac.getRules() : null, rbac.hasMatcher() ? rbac.getMatcher() : null),
                parser.engine(
                        field,
                        "shadow_",
                        rbac.hasShadowRules() ? rbac.getShadowRules() : null,
                        rbac.hasShadowMatcher() ? rbac.getShadowMatcher() : null));
    }

    /** @param rules null when not set, as is the matcher, which wins over them in Envoy */
    private Optional<Engine> engine(Field field, String prefix, RBAC rules, Matcher matcher) {
        if (matcher != null) {
            field.reportIf(rules != null, prefix + "rules");
            return Optional.of(new Rbac.Tree(trees.parse(field.at(prefix + "matcher"), matcher)));
        }
        return rules == null ? Optional.empty() : Optional.of(policies(field.at(prefix + "rules"), rules));
    }

    private static NamedAction namedAction(Field field, Any config) {
        if (!Extensions.typeOf(config).equals(ACTION)) {
            throw field.refuse("must be " + ACTION + ", is '" + Extensions.typeOf(config) + "'");
        }
        try {
            var action = io.weft.policy.proto.envoy.config.rbac.v3.Action.parseFrom(config.getValue());
            return new NamedAction(
                    field.at("name").notEmpty(action.getName()), action(field.at("action"), action.getAction()));
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + ACTION + ": " + e.getMessage());
        }
    }

    private static Action action(Field field, RBAC.Action action) {
        switch (action) {
            case ALLOW:
                return Action.ALLOW;
            case DENY:
                return Action.DENY;
            case LOG:
                return Action.LOG;
            default:
                throw field.refuse("is none of ALLOW, DENY and LOG");
        }
    }

    private Engine policies(Field field, RBAC rules) {
        field.reportIf(rules.hasAuditLoggingOptions(), "audit_logging_options");
        List<Policy> policies = new ArrayList<>(rules.getPoliciesCount());
        for (var entry : new TreeMap<>(rules.getPoliciesMap()).entrySet()) {
            policies.add(policy(field.at("policies", entry.getKey()), entry.getKey(), entry.getValue()));
        }
        return new Rbac.Policies(action(field.at("action"), rules.getAction()), policies);
    }

    private Policy policy(Field field, String name, io.weft.policy.proto.envoy.config.rbac.v3.Policy policy) {
        field.refuseIf(!policy.getCondition().isEmpty(), "condition", "is not supported; use permissions and principals");
        field.refuseIf(!policy.getCheckedCondition().isEmpty(), "checked_condition",
                "is not supported; use permissions and principals");
        return new Policy(
                name,
                permissions(field, "permissions", policy.getPermissionsList()),
                principals(field, "principals", policy.getPrincipalsList()));
    }

    private List<Rule> permissions(Field parent, String name, List<Permission> permissions) {
        parent.refuseIf(permissions.isEmpty(), name, "is empty; set at least one");
        List<Rule> rules = new ArrayList<>(permissions.size());
        for (int i = 0; i < permissions.size(); i++) {
            rules.add(permission(parent.at(name, i), permissions.get(i)));
        }
        return rules;
    }

    @SuppressWarnings("deprecation") // metadata has its old name with most control planes
    private Rule permission(Field field, Permission permission) {
        switch (permission.getRuleCase()) {
            case AND_RULES:
                return new Rbac.And(permissions(field.at("and_rules"), "rules", permission.getAndRules().getRulesList()));
            case OR_RULES:
                return new Rbac.Or(permissions(field.at("or_rules"), "rules", permission.getOrRules().getRulesList()));
            case NOT_RULE:
                return new Rbac.Not(permission(field.at("not_rule"), permission.getNotRule()));
            case ANY:
                return any(field, permission.getAny());
            case HEADER:
                return header(field.at("header"), permission.getHeader());
            case URL_PATH:
                return urlPath(field.at("url_path"), permission.getUrlPath());
            case DESTINATION_IP:
                return new Rbac.DestinationIp(
                        CidrRangeParser.parse(field.at("destination_ip"), permission.getDestinationIp()));
            case DESTINATION_PORT:
                int port = permission.getDestinationPort();
                field.refuseIf(port < 0 || port >= MAX_PORT_BOUND, "destination_port", "must be 0 to 65535");
                return new Rbac.DestinationPort(port, port + 1);
            case DESTINATION_PORT_RANGE:
                int from = permission.getDestinationPortRange().getStart();
                int to = permission.getDestinationPortRange().getEnd();
                field.refuseIf(from < 0 || to > MAX_PORT_BOUND || from >= to, "destination_port_range",
                        "must begin at 0 or above, end at " + MAX_PORT_BOUND + " or below, and hold a port");
                return new Rbac.DestinationPort(from, to);
            case REQUESTED_SERVER_NAME:
                return new Rbac.RequestedServerName(
                        MatchParser.string(field.at("requested_server_name"), permission.getRequestedServerName()));
            case METADATA:
                refuseOnConnection(field.at("metadata"));
                return MetadataParser.parse(field.at("metadata"), permission.getMetadata());
            case SOURCED_METADATA:
                refuseOnConnection(field.at("sourced_metadata"));
                return MetadataParser.parse(field.at("sourced_metadata"), permission.getSourcedMetadata());
            case URI_TEMPLATE:
                refuseOnConnection(field.at("uri_template"));
                return new Rbac.UrlPath(new StringMatch.Regex(
                        MatchParser.template(field.at("uri_template"), permission.getUriTemplate()).regex()));
            case MATCHER:
                throw field.at("matcher").refuse("the extension '" + permission.getMatcher().getName() + "' ("
                        + Extensions.typeOf(permission.getMatcher().getTypedConfig()) + ") is not supported");
            default:
                throw field.refuse("is empty; set any: true for everything");
        }
    }

    private List<Rule> principals(Field parent, String name, List<Principal> principals) {
        parent.refuseIf(principals.isEmpty(), name, "is empty; set at least one");
        List<Rule> rules = new ArrayList<>(principals.size());
        for (int i = 0; i < principals.size(); i++) {
            rules.add(principal(parent.at(name, i), principals.get(i)));
        }
        return rules;
    }

    @SuppressWarnings("deprecation") // source_ip and metadata are what older control planes send
    private Rule principal(Field field, Principal principal) {
        switch (principal.getIdentifierCase()) {
            case AND_IDS:
                return new Rbac.And(principals(field.at("and_ids"), "ids", principal.getAndIds().getIdsList()));
            case OR_IDS:
                return new Rbac.Or(principals(field.at("or_ids"), "ids", principal.getOrIds().getIdsList()));
            case NOT_ID:
                return new Rbac.Not(principal(field.at("not_id"), principal.getNotId()));
            case ANY:
                return any(field, principal.getAny());
            case AUTHENTICATED:
                Principal.Authenticated authenticated = principal.getAuthenticated();
                Field name = field.at("authenticated").at("principal_name");
                Optional<StringMatch> match = authenticated.hasPrincipalName()
                        ? Optional.of(MatchParser.string(name, authenticated.getPrincipalName()))
                        : Optional.empty();
                return new Rbac.Authenticated(match);
            case SOURCE_IP:
                return new Rbac.SourceIp(
                        Rbac.Source.PEER, CidrRangeParser.parse(field.at("source_ip"), principal.getSourceIp()));
            case DIRECT_REMOTE_IP:
                return new Rbac.SourceIp(
                        Rbac.Source.PEER, CidrRangeParser.parse(field.at("direct_remote_ip"), principal.getDirectRemoteIp()));
            case REMOTE_IP:
                // No header speaks for a connection.
                return new Rbac.SourceIp(
                        scope == Scope.REQUEST ? Rbac.Source.CLIENT : Rbac.Source.PEER,
                        CidrRangeParser.parse(field.at("remote_ip"), principal.getRemoteIp()));
            case HEADER:
                return header(field.at("header"), principal.getHeader());
            case URL_PATH:
                return urlPath(field.at("url_path"), principal.getUrlPath());
            case METADATA:
                refuseOnConnection(field.at("metadata"));
                return MetadataParser.parse(field.at("metadata"), principal.getMetadata());
            case SOURCED_METADATA:
                refuseOnConnection(field.at("sourced_metadata"));
                return MetadataParser.parse(field.at("sourced_metadata"), principal.getSourcedMetadata());
            case FILTER_STATE:
                return filterState(field.at("filter_state"), principal.getFilterState());
            case CUSTOM:
                throw field.at("custom").refuse("the extension '" + principal.getCustom().getName() + "' ("
                        + Extensions.typeOf(principal.getCustom().getTypedConfig())
                        + ") is not supported; use authenticated for the peer's identity");
            default:
                throw field.refuse("is empty; set any: true for everybody");
        }
    }

    private Rule filterState(Field field, FilterStateMatcher state) {
        if (scope == Scope.CONNECTION) {
            throw field.refuse("is not supported of a connection; use authenticated for the peer's identity");
        }
        String key = field.at("key").notEmpty(state.getKey());
        field.refuseIf(state.hasAddressMatch(), "address_match", "is not supported; nothing here puts an address there, use string_match");
        field.refuseIf(!state.hasStringMatch(), "string_match", "is missing");
        return new Rbac.FilterState(key, MatchParser.string(field.at("string_match"), state.getStringMatch()));
    }

    private static Rule any(Field field, boolean any) {
        field.refuseIf(!any, "any", "must be true; use not_rule or not_id for the contrary");
        return new Rbac.Any();
    }

    private Rule header(Field field, HeaderMatcher header) {
        refuseOnConnection(field);
        return new Rbac.Header(MatchParser.header(field, header));
    }

    private Rule urlPath(Field field, PathMatcher path) {
        refuseOnConnection(field);
        field.refuseIf(!path.hasPath(), "path", "is missing");
        return new Rbac.UrlPath(MatchParser.string(field.at("path"), path.getPath()));
    }

    private void refuseOnConnection(Field field) {
        if (scope == Scope.CONNECTION) {
            throw field.refuse("is not known of a connection; use it in the HTTP filter");
        }
    }
}
