package io.weft.controlplane.xds;

import com.github.xds.core.v3.TypedExtensionConfig;
import com.github.xds.type.matcher.v3.Matcher;
import com.github.xds.type.matcher.v3.Matcher.MatcherList;
import com.github.xds.type.matcher.v3.Matcher.MatcherList.FieldMatcher;
import com.github.xds.type.matcher.v3.Matcher.MatcherList.Predicate;
import com.github.xds.type.matcher.v3.Matcher.OnMatch;
import com.github.xds.type.matcher.v3.StringMatcher;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.rbac.v3.Action;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.weft.controlplane.identity.Permissions;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import java.util.List;
import java.util.Set;

/** Envoy's access control by the SPIFFE ID of the peer, as Kuma shapes it. */
final class RbacBuilder {

    private static final TypedExtensionConfig URI_SAN =
            extension("envoy.matching.inputs.uri_san", UriSanInput.getDefaultInstance());

    static RBAC http(Permissions permissions) {
        RBAC.Builder rbac = RBAC.newBuilder();
        if (permissions.entries().isEmpty()) {
            // Rules without any policy allow nobody.
            return rbac.setRules(io.envoyproxy.envoy.config.rbac.v3.RBAC.getDefaultInstance()).build();
        }
        rbac.setMatcher(matcher(permissions.entries()));
        if (!permissions.shadow().isEmpty()) {
            rbac.setShadowMatcher(matcher(permissions.shadow()));
        }
        return rbac.build();
    }

    /** Whoever only asks how one is, by one of these paths, and nobody else. A path is compared whole, without its query. */
    static RBAC health(Set<String> paths) {
        Policy.Builder policy = Policy.newBuilder().addPrincipals(Principal.newBuilder().setAny(true));
        for (String path : paths) {
            Permission.Set.Builder both = Permission.Set.newBuilder().addRules(Permission.newBuilder()
                    .setUrlPath(PathMatcher.newBuilder().setPath(string().setExact(path))));
            Permission.Set.Builder methods = Permission.Set.newBuilder();
            // A call of gRPC is a POST, that of its health service changes nothing.
            for (String method : path.equals(Dataplane.GRPC_HEALTH) ? List.of("POST") : List.of("GET", "HEAD")) {
                methods.addRules(Permission.newBuilder().setHeader(
                        HeaderMatcher.newBuilder().setName(":method").setStringMatch(string().setExact(method))));
            }
            policy.addPermissions(Permission.newBuilder()
                    .setAndRules(both.addRules(Permission.newBuilder().setOrRules(methods))));
        }
        return RBAC.newBuilder()
                .setRules(io.envoyproxy.envoy.config.rbac.v3.RBAC.newBuilder().putPolicies("health-paths", policy.build()))
                .build();
    }

    static io.envoyproxy.envoy.extensions.filters.network.rbac.v3.RBAC network(String name, Permissions permissions) {
        RBAC http = http(permissions);
        var rbac = io.envoyproxy.envoy.extensions.filters.network.rbac.v3.RBAC.newBuilder().setStatPrefix(name + ".");
        if (http.hasRules()) {
            rbac.setRules(http.getRules());
        }
        if (http.hasMatcher()) {
            rbac.setMatcher(http.getMatcher());
        }
        if (http.hasShadowMatcher()) {
            rbac.setShadowMatcher(http.getShadowMatcher());
        }
        return rbac.build();
    }

    private static io.envoyproxy.envoy.type.matcher.v3.StringMatcher.Builder string() {
        return io.envoyproxy.envoy.type.matcher.v3.StringMatcher.newBuilder();
    }

    private static Matcher matcher(List<Permissions.Entry> entries) {
        MatcherList.Builder list = MatcherList.newBuilder();
        for (Permissions.Entry entry : entries) {
            list.addMatchers(FieldMatcher.newBuilder()
                    .setPredicate(anyOf(entry.callers()))
                    .setOnMatch(action(Names.permission(entry.policy()), entry.allows())));
        }
        return Matcher.newBuilder().setMatcherList(list).setOnNoMatch(action("default", false)).build();
    }

    private static Predicate anyOf(List<Caller> callers) {
        List<Predicate> predicates = callers.stream().map(RbacBuilder::is).toList();
        // Envoy wants at least two of them in a list.
        return predicates.size() == 1
                ? predicates.get(0)
                : Predicate.newBuilder()
                        .setOrMatcher(Predicate.PredicateList.newBuilder().addAllPredicate(predicates))
                        .build();
    }

    private static Predicate is(Caller caller) {
        StringMatcher.Builder value = StringMatcher.newBuilder();
        if (caller.kind() == Caller.Kind.EXACT) {
            value.setExact(caller.value());
        } else {
            value.setPrefix(caller.value());
        }
        return Predicate.newBuilder()
                .setSinglePredicate(Predicate.SinglePredicate.newBuilder().setInput(URI_SAN).setValueMatch(value))
                .build();
    }

    private static OnMatch action(String name, boolean allows) {
        Action.Builder action = Action.newBuilder().setName(name);
        if (!allows) {
            action.setAction(io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.DENY);
        }
        return OnMatch.newBuilder().setAction(extension("envoy.filters.rbac.action", action.build())).build();
    }

    private static TypedExtensionConfig extension(String name, Message config) {
        return TypedExtensionConfig.newBuilder().setName(name).setTypedConfig(TlsBuilder.any(config)).build();
    }

    private RbacBuilder() {}
}
