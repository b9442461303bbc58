package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.BackendObjectReference;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCBackendRef;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCHeaderMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCMethodMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRouteFilter;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRouteMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRouteRule;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPBackendRef;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPHeader;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPHeaderFilter;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPHeaderMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPPathMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPPathModifier;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPQueryParamMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRequestMirrorFilter;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRequestRedirectFilter;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteFilter;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteMatch;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteRule;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPURLRewriteFilter;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.ParentReference;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshHttpRoute.BackendRef;
import io.weft.controlplane.policy.MeshHttpRoute.Filter;
import io.weft.controlplane.policy.MeshHttpRoute.Match;
import io.weft.controlplane.policy.MeshHttpRoute.Rule;
import io.weft.controlplane.policy.ServiceType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a Gateway API {@code HTTPRoute} or {@code GRPCRoute} ({@code gateway.networking.k8s.io/v1}) into the model of Kuma's routes. What
 * the API server's schema has checked is not checked again. Not thread-safe.
 */
final class GatewayRoute {

    private static final Pattern DURATION = Pattern.compile("(\\d{1,5})(ms|s|m|h)");
    private static final Map<String, Duration> UNITS = Map.of(
            "ms", Duration.ofMillis(1), "s", Duration.ofSeconds(1), "m", Duration.ofMinutes(1), "h", Duration.ofHours(1));
    private static final String ANY_NAME = "[^/]+";
    private static final long MILLION = 1_000_000;
    /** Nothing is called so: what leads to it is answered with 500. */
    private static final BackendRef NOWHERE =
            new BackendRef(ServiceType.MESH_SERVICE, Optional.of(""), "", Map.of(), Optional.empty(), OptionalInt.empty(), Map.of(), 1);

    private final ObjectName name;
    private final String kind;
    private final Targets targets;
    /** In the order in which they were found. */
    private final List<Unresolved> unresolved = new ArrayList<>();

    /** What it asks of the cluster. */
    interface Targets {

        /**
         * Why nothing can be led to a port of a service; empty: something can.
         *
         * @param port null: the first one
         */
        Optional<Unresolved> unusable(ObjectName service, Integer port);

        /** Whether a ReferenceGrant lets a route of another namespace lead there. */
        boolean granted(String kind, String namespace, ObjectName service);
    }

    /** @param reason as Gateway API names it */
    record Unresolved(String reason, String message) {}

    /** It asks for what is not there; nothing of it is applied. */
    static final class UnsupportedException extends Exception {
        private static final long serialVersionUID = 1;

        UnsupportedException(String message) {
            super(message);
        }
    }

    GatewayRoute(HasMetadata route, Targets targets) {
        this.name = ObjectName.of(route);
        this.kind = route.getKind();
        this.targets = targets;
    }

    /** Of what it leads to, what cannot be resolved. */
    List<Unresolved> unresolved() {
        return unresolved;
    }

    static List<ParentReference> parents(HasMetadata route) {
        List<ParentReference> all = route instanceof HTTPRoute http
                ? http.getSpec().getParentRefs()
                : ((GRPCRoute) route).getSpec().getParentRefs();
        return list(all).stream()
                .filter(parent -> "Service".equals(parent.getKind()) && Objects.requireNonNullElse(parent.getGroup(), "").isEmpty())
                .toList();
    }

    List<Rule> rules(HasMetadata route) throws UnsupportedException {
        List<Rule> rules = new ArrayList<>();
        if (route instanceof HTTPRoute http) {
            int i = 0;
            for (HTTPRouteRule rule : list(http.getSpec().getRules())) {
                rules.add(rule("spec.rules[" + i++ + "]", rule));
            }
        } else {
            int i = 0;
            for (GRPCRouteRule rule : list(((GRPCRoute) route).getSpec().getRules())) {
                rules.add(rule("spec.rules[" + i++ + "]", rule));
            }
        }
        return rules;
    }

    private Rule rule(String path, HTTPRouteRule rule) throws UnsupportedException {
        refuseIf(rule.getSessionPersistence() != null, path + ".sessionPersistence", "use a policy of the mesh");
        List<Match> matches = new ArrayList<>();
        for (HTTPRouteMatch match : list(rule.getMatches())) {
            matches.add(match(match));
        }
        List<Filter> filters = new ArrayList<>();
        int i = 0;
        for (HTTPRouteFilter filter : list(rule.getFilters())) {
            filters.add(filter(path + ".filters[" + i++ + "]", filter));
        }
        List<BackendRef> backends = new ArrayList<>();
        i = 0;
        for (HTTPBackendRef ref : list(rule.getBackendRefs())) {
            refuseIf(!list(ref.getFilters()).isEmpty(), path + ".backendRefs[" + i++ + "].filters", "give the backend a rule of its own");
            backends.add(backend(ref.getGroup(), ref.getKind(), ref.getNamespace(), ref.getName(), ref.getPort(), ref.getWeight()));
        }
        Optional<Duration> request = Optional.empty();
        Optional<Duration> each = Optional.empty();
        if (rule.getTimeouts() != null) {
            request = duration(path + ".timeouts.request", rule.getTimeouts().getRequest());
            each = duration(path + ".timeouts.backendRequest", rule.getTimeouts().getBackendRequest());
        }
        Optional<MeshHttpRoute.Retry> retry = Optional.empty();
        if (rule.getRetry() != null) {
            retry = Optional.of(new MeshHttpRoute.Retry(
                    list(rule.getRetry().getCodes()),
                    Objects.requireNonNullElse(rule.getRetry().getAttempts(), 1),
                    duration(path + ".retry.backoff", rule.getRetry().getBackoff())));
        }
        boolean limited = request.isPresent() || each.isPresent() || retry.isPresent();
        return new Rule(
                matches.isEmpty() ? List.of(everything()) : matches,
                Optional.of(filters),
                Optional.of(orNowhere(backends, filters)),
                limited ? Optional.of(new MeshHttpRoute.Attempts(request, each, retry)) : Optional.empty());
    }

    private Rule rule(String path, GRPCRouteRule rule) throws UnsupportedException {
        refuseIf(rule.getSessionPersistence() != null, path + ".sessionPersistence", "use a policy of the mesh");
        List<Match> matches = list(rule.getMatches()).stream().map(GatewayRoute::match).toList();
        List<Filter> filters = new ArrayList<>();
        int i = 0;
        for (GRPCRouteFilter filter : list(rule.getFilters())) {
            filters.add(filter(path + ".filters[" + i++ + "]", filter));
        }
        List<BackendRef> backends = new ArrayList<>();
        i = 0;
        for (GRPCBackendRef ref : list(rule.getBackendRefs())) {
            refuseIf(!list(ref.getFilters()).isEmpty(), path + ".backendRefs[" + i++ + "].filters", "give the backend a rule of its own");
            backends.add(backend(ref.getGroup(), ref.getKind(), ref.getNamespace(), ref.getName(), ref.getPort(), ref.getWeight()));
        }
        return new Rule(
                matches.isEmpty() ? List.of(everything()) : matches,
                Optional.of(filters),
                Optional.of(orNowhere(backends, filters)),
                Optional.empty());
    }

    /** A rule that neither answers by itself nor says where to go is answered with 500. */
    private static List<BackendRef> orNowhere(List<BackendRef> backends, List<Filter> filters) {
        boolean answers = filters.stream().anyMatch(MeshHttpRoute.Redirect.class::isInstance);
        boolean leads = backends.stream().anyMatch(backend -> backend.weight() > 0);
        if (answers || leads) {
            return backends;
        }
        List<BackendRef> all = new ArrayList<>(backends);
        all.add(NOWHERE);
        return all;
    }

    private static Match everything() {
        return new Match(Optional.of(prefix("/")), Optional.empty(), List.of(), List.of());
    }

    private static MeshHttpRoute.Path prefix(String path) {
        // A slash at the end makes no difference: a prefix matches whole segments.
        String plain = path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        return new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.PREFIX, plain);
    }

    private static Match match(HTTPRouteMatch match) {
        List<MeshHttpRoute.HeaderMatch> headers = new ArrayList<>();
        for (HTTPHeaderMatch header : list(match.getHeaders())) {
            headers.add(header(header.getType(), header.getName(), header.getValue()));
        }
        List<MeshHttpRoute.QueryMatch> query = new ArrayList<>();
        for (HTTPQueryParamMatch parameter : list(match.getQueryParams())) {
            query.add(new MeshHttpRoute.QueryMatch(
                    "RegularExpression".equals(parameter.getType())
                            ? MeshHttpRoute.QueryMatch.Kind.REGEX
                            : MeshHttpRoute.QueryMatch.Kind.EXACT,
                    parameter.getName(),
                    parameter.getValue()));
        }
        return new Match(Optional.of(path(match.getPath())), Optional.ofNullable(match.getMethod()), headers, query);
    }

    private static MeshHttpRoute.Path path(HTTPPathMatch path) {
        if (path == null) {
            return prefix("/");
        }
        String value = Objects.requireNonNullElse(path.getValue(), "/");
        return switch (Objects.requireNonNullElse(path.getType(), "PathPrefix")) {
            case "Exact" -> new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.EXACT, value);
            case "RegularExpression" -> new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.REGEX, value);
            default -> prefix(value);
        };
    }

    private static MeshHttpRoute.HeaderMatch header(String type, String name, String value) {
        return new MeshHttpRoute.HeaderMatch(
                "RegularExpression".equals(type) ? MeshHttpRoute.HeaderMatch.Kind.REGEX : MeshHttpRoute.HeaderMatch.Kind.EXACT,
                name.toLowerCase(Locale.ROOT),
                value);
    }

    private static Match match(GRPCRouteMatch match) {
        List<MeshHttpRoute.HeaderMatch> headers = new ArrayList<>();
        for (GRPCHeaderMatch header : list(match.getHeaders())) {
            headers.add(header(header.getType(), header.getName(), header.getValue()));
        }
        return new Match(Optional.of(path(match.getMethod())), Optional.empty(), headers, List.of());
    }

    private static MeshHttpRoute.Path path(GRPCMethodMatch method) {
        if (method == null || method.getService() == null && method.getMethod() == null) {
            return prefix("/");
        }
        if ("RegularExpression".equals(method.getType())) {
            return new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.REGEX, "/" + Objects.requireNonNullElse(method.getService(), ANY_NAME)
                    + "/" + Objects.requireNonNullElse(method.getMethod(), ANY_NAME));
        }
        if (method.getService() == null) {
            return new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.REGEX, "/" + ANY_NAME + "/" + Pattern.quote(method.getMethod()));
        }
        return method.getMethod() == null
                ? prefix("/" + method.getService())
                : new MeshHttpRoute.Path(MeshHttpRoute.Path.Kind.EXACT, "/" + method.getService() + "/" + method.getMethod());
    }

    private Filter filter(String path, HTTPRouteFilter filter) throws UnsupportedException {
        return switch (filter.getType()) {
            case "RequestHeaderModifier" -> new MeshHttpRoute.RequestHeaders(changes(filter.getRequestHeaderModifier()));
            case "ResponseHeaderModifier" -> new MeshHttpRoute.ResponseHeaders(changes(filter.getResponseHeaderModifier()));
            case "RequestRedirect" -> redirect(filter.getRequestRedirect());
            case "URLRewrite" -> rewrite(filter.getUrlRewrite());
            case "RequestMirror" -> mirror(filter.getRequestMirror());
            default -> throw unsupported(path + ".type " + filter.getType(), "remove the filter");
        };
    }

    private Filter filter(String path, GRPCRouteFilter filter) throws UnsupportedException {
        return switch (filter.getType()) {
            case "RequestHeaderModifier" -> new MeshHttpRoute.RequestHeaders(changes(filter.getRequestHeaderModifier()));
            case "ResponseHeaderModifier" -> new MeshHttpRoute.ResponseHeaders(changes(filter.getResponseHeaderModifier()));
            case "RequestMirror" -> mirror(filter.getRequestMirror());
            default -> throw unsupported(path + ".type " + filter.getType(), "remove the filter");
        };
    }

    private static MeshHttpRoute.HeaderChanges changes(HTTPHeaderFilter filter) {
        return new MeshHttpRoute.HeaderChanges(
                headers(filter.getSet()),
                headers(filter.getAdd()),
                list(filter.getRemove()).stream().map(name -> name.toLowerCase(Locale.ROOT)).toList());
    }

    private static List<MeshHttpRoute.Header> headers(List<HTTPHeader> headers) {
        return list(headers).stream()
                .map(header -> new MeshHttpRoute.Header(header.getName().toLowerCase(Locale.ROOT), header.getValue()))
                .toList();
    }

    private static Filter redirect(HTTPRequestRedirectFilter filter) {
        return new MeshHttpRoute.Redirect(
                Optional.ofNullable(filter.getScheme()),
                Optional.ofNullable(filter.getHostname()),
                filter.getPort() == null ? OptionalInt.empty() : OptionalInt.of(filter.getPort()),
                rewrite(filter.getPath()),
                Objects.requireNonNullElse(filter.getStatusCode(), 302));
    }

    private static Filter rewrite(HTTPURLRewriteFilter filter) {
        return new MeshHttpRoute.Rewrite(Optional.ofNullable(filter.getHostname()), rewrite(filter.getPath()));
    }

    private static Optional<MeshHttpRoute.PathRewrite> rewrite(HTTPPathModifier path) {
        if (path == null) {
            return Optional.empty();
        }
        return Optional.of("ReplaceFullPath".equals(path.getType())
                ? new MeshHttpRoute.ReplaceFullPath(orRoot(path.getReplaceFullPath()))
                : new MeshHttpRoute.ReplacePrefix(orRoot(path.getReplacePrefixMatch())));
    }

    private static String orRoot(String path) {
        return path == null || path.isEmpty() ? "/" : path;
    }

    private Filter mirror(HTTPRequestMirrorFilter filter) {
        BackendObjectReference ref = filter.getBackendRef();
        long share = MILLION;
        if (filter.getPercent() != null) {
            share = MILLION / 100 * filter.getPercent();
        } else if (filter.getFraction() != null) {
            int denominator = Objects.requireNonNullElse(filter.getFraction().getDenominator(), 100);
            share = MILLION * filter.getFraction().getNumerator() / denominator;
        }
        BackendRef backend = backend(ref.getGroup(), ref.getKind(), ref.getNamespace(), ref.getName(), ref.getPort(), 1);
        return new MeshHttpRoute.Mirror(backend, (int) share);
    }

    private BackendRef backend(String group, String of, String namespace, String service, Integer port, Integer weight) {
        long share = Objects.requireNonNullElse(weight, 1);
        ObjectName target = new ObjectName(Objects.requireNonNullElse(namespace, name.namespace()), service);
        boolean isService = (group == null || group.isEmpty()) && (of == null || of.equals("Service"));
        Optional<String> reason = Optional.empty();
        if (!isService) {
            reason = unresolved("InvalidKind", (of == null ? "" : of) + " " + target + " is no Service");
        } else if (!target.namespace().equals(name.namespace()) && !targets.granted(kind, name.namespace(), target)) {
            reason = unresolved("RefNotPermitted", "no ReferenceGrant of namespace " + target.namespace() + " lets a " + kind
                    + " of namespace " + name.namespace() + " lead to Service " + target.name());
        } else {
            // It leads there as soon as it is there.
            targets.unusable(target, port).ifPresent(unresolved::add);
        }
        return new BackendRef(
                ServiceType.MESH_SERVICE,
                Optional.of(reason.isPresent() ? "" : service),
                target.namespace(),
                Map.of(),
                Optional.empty(),
                port == null ? OptionalInt.empty() : OptionalInt.of(port),
                Map.of(),
                share);
    }

    private Optional<String> unresolved(String reason, String message) {
        unresolved.add(new Unresolved(reason, message));
        return Optional.of(reason);
    }

    private static Optional<Duration> duration(String path, String text) throws UnsupportedException {
        if (text == null) {
            return Optional.empty();
        }
        Matcher matcher = DURATION.matcher(text);
        Duration sum = Duration.ZERO;
        int end = 0;
        while (matcher.find() && matcher.start() == end) {
            sum = sum.plus(UNITS.get(matcher.group(2)).multipliedBy(Long.parseLong(matcher.group(1))));
            end = matcher.end();
        }
        if (end == 0 || end < text.length()) {
            throw new UnsupportedException(path + ": needs a duration as in 500ms or 1m30s, not '" + text + "'");
        }
        return Optional.of(sum);
    }

    private static void refuseIf(boolean is, String path, String instead) throws UnsupportedException {
        if (is) {
            throw unsupported(path, instead);
        }
    }

    private static UnsupportedException unsupported(String what, String instead) {
        return new UnsupportedException(what + ": is not supported; " + instead);
    }

    private static <T> List<T> list(List<T> list) {
        return list == null ? List.of() : list;
    }
}
