package io.weft.controlplane.xds;

import com.google.protobuf.BoolValue;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.QueryParameterMatcher;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.FractionalPercent.DenominatorType;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshHttpRoute.BackendRef;
import io.weft.controlplane.policy.MeshHttpRoute.Filter;
import io.weft.controlplane.policy.MeshHttpRoute.Match;
import io.weft.controlplane.service.RouteRules.Resolved;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.service.ServiceCatalog.Target;
import io.weft.controlplane.xds.policy.RetryTranslator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Turns the resolved rules of one service port into Envoy's routes, and notes the clusters that they need. Not thread-safe. */
final class RouteBuilder {

    private final ServiceCatalog services;
    private final Target destination;
    private final Map<String, Target> targets = new LinkedHashMap<>();

    RouteBuilder(ServiceCatalog services, Target destination) {
        this.services = services;
        this.destination = destination;
        targets.put(Names.cluster(destination), destination);
    }

    /** Every target that a rule names, by cluster; of weight 0 too: such a cluster is ready when its weight is raised. */
    Map<String, Target> targets() {
        return targets;
    }

    List<Route> routes(Resolved resolved, RoutePolicies policies) {
        List<Route> routes = new ArrayList<>();
        for (PathMatch path : pathMatches(resolved.match().path().orElseThrow())) {
            RouteMatch match = match(resolved.match(), path);
            routes.addAll(routes(resolved, path, match, policies));
        }
        return routes;
    }

    /** @param prefix what of the path counts as the matched prefix; empty for a match by anything but a prefix */
    private record PathMatch(RouteMatch match, String prefix) {}

    /**
     * A prefix matches whole segments. Two routes instead of Envoy's path_separated_prefix, as in Kuma, because a rewrite of
     * that one to "/" yields "//rest" (Envoy issue 23130).
     */
    private static List<PathMatch> pathMatches(MeshHttpRoute.Path path) {
        return switch (path.kind()) {
            case EXACT -> List.of(new PathMatch(RouteMatch.newBuilder().setPath(path.value()).build(), ""));
            case REGEX -> List.of(new PathMatch(
                    RouteMatch.newBuilder().setSafeRegex(regex(path.value())).build(), ""));
            case PREFIX -> path.value().equals("/")
                    ? List.of(new PathMatch(RouteMatch.newBuilder().setPrefix("/").build(), "/"))
                    : List.of(
                            new PathMatch(RouteMatch.newBuilder().setPath(path.value()).build(), path.value()),
                            new PathMatch(
                                    RouteMatch.newBuilder().setPrefix(path.value() + "/").build(), path.value() + "/"));
        };
    }

    private static RouteMatch match(Match match, PathMatch path) {
        RouteMatch.Builder builder = path.match().toBuilder();
        match.method().ifPresent(method -> builder.addHeaders(HeaderMatcher.newBuilder()
                .setName(":method")
                .setStringMatch(StringMatcher.newBuilder().setExact(method))));
        Map<String, MeshHttpRoute.HeaderMatch> headers = new LinkedHashMap<>();
        match.headers().forEach(header -> headers.putIfAbsent(header.name(), header));
        headers.values().forEach(header -> builder.addHeaders(headerMatcher(header)));
        for (MeshHttpRoute.QueryMatch query : match.query()) {
            StringMatcher value = switch (query.kind()) {
                case EXACT -> StringMatcher.newBuilder().setExact(query.value()).build();
                case REGEX -> StringMatcher.newBuilder().setSafeRegex(regex(query.value())).build();
            };
            builder.addQueryParameters(
                    QueryParameterMatcher.newBuilder().setName(query.name()).setStringMatch(value));
        }
        return builder.build();
    }

    private static HeaderMatcher headerMatcher(MeshHttpRoute.HeaderMatch header) {
        HeaderMatcher.Builder builder = HeaderMatcher.newBuilder().setName(header.name());
        return switch (header.kind()) {
            case EXACT -> builder.setStringMatch(StringMatcher.newBuilder().setExact(header.value())).build();
            case REGEX ->
                builder.setStringMatch(StringMatcher.newBuilder().setSafeRegex(regex(header.value()))).build();
            case PRESENT -> builder.setPresentMatch(true).build();
            case ABSENT -> builder.setPresentMatch(false).build();
            // Envoy refuses an empty prefix.
            case PREFIX -> header.value().isEmpty()
                    ? builder.setPresentMatch(true).build()
                    : builder.setStringMatch(StringMatcher.newBuilder().setPrefix(header.value())).build();
        };
    }

    private static RegexMatcher regex(String regex) {
        return RegexMatcher.newBuilder().setRegex(regex).build();
    }

    private List<Route> routes(Resolved resolved, PathMatch path, RouteMatch match, RoutePolicies policies) {
        List<Filter> filters = resolved.rule().filters().orElse(List.of());
        Route.Builder base = Route.newBuilder().setMatch(match);
        base.setName(resolved.origin().map(Names::route).orElse("default"));
        headers(base, filters);

        Optional<MeshHttpRoute.Redirect> redirect = first(filters, MeshHttpRoute.Redirect.class);
        if (redirect.isPresent()) {
            return List.of(base.setRedirect(redirect(redirect.get(), path)).build());
        }
        List<BackendRef> refs = resolved.rule().backends().orElse(List.of());
        Split split = split(refs);
        if (!refs.isEmpty() && split.clusters().isEmpty()) {
            return List.of(unavailable(base, match));
        }
        List<Route> routes = new ArrayList<>();
        if (split.unresolved() > 0) {
            RouteMatch share = match.toBuilder()
                    .setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                            .setDefaultValue(millionths(split.unresolved() * 1_000_000 / split.total())))
                    .build();
            routes.add(unavailable(base, share));
        }
        RouteAction.Builder action = action(filters, split, path, policies).toBuilder();
        resolved.rule().attempts().ifPresent(attempts -> limit(action, attempts));
        routes.add(base.clone().setRoute(action).build());
        return routes;
    }

    /** Gateway API: what leads nowhere is answered with 500. */
    private static Route unavailable(Route.Builder base, RouteMatch match) {
        return base.clone()
                .setMatch(match)
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(500))
                .build();
    }

    /** @param unresolved weight of the references that lead nowhere */
    private record Split(Map<String, Long> clusters, long unresolved) {

        long total() {
            return unresolved + clusters.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    private Split split(List<BackendRef> refs) {
        Map<String, Long> clusters = new LinkedHashMap<>();
        long unresolved = 0;
        for (BackendRef ref : refs) {
            Optional<Target> target = services.resolve(ref).filter(found -> found.port().protocol().http());
            target.ifPresent(found -> targets.put(Names.cluster(found), found));
            if (ref.weight() == 0) {
                continue;
            }
            if (target.isPresent()) {
                clusters.merge(Names.cluster(target.get()), ref.weight(), Long::sum);
            } else {
                unresolved += ref.weight();
            }
        }
        if (refs.isEmpty()) {
            clusters.put(Names.cluster(destination), 1L);
        }
        return new Split(clusters, unresolved);
    }

    private RouteAction action(List<Filter> filters, Split split, PathMatch path, RoutePolicies policies) {
        RouteAction.Builder action = RouteAction.newBuilder();
        policies.in(action, destination.port().protocol());
        if (split.clusters().size() == 1) {
            action.setCluster(split.clusters().keySet().iterator().next());
        } else {
            WeightedCluster.Builder weighted = WeightedCluster.newBuilder();
            split.clusters().forEach((name, weight) -> weighted.addClusters(WeightedCluster.ClusterWeight.newBuilder()
                    .setName(name)
                    .setWeight(UInt32Value.of(weight.intValue()))));
            action.setWeightedClusters(weighted);
        }
        if (split.clusters().keySet().stream().anyMatch(name -> targets.get(name).service().external().isPresent())) {
            // Outside of the mesh nobody knows the name by which it is called here.
            action.setAutoHostRewrite(BoolValue.of(true));
        }
        first(filters, MeshHttpRoute.Rewrite.class).ifPresent(rewrite -> rewrite(action, rewrite, path));
        for (Filter filter : filters) {
            if (filter instanceof MeshHttpRoute.Mirror mirror) {
                mirror(action, mirror);
            }
        }
        return action.build();
    }

    private static void limit(RouteAction.Builder action, MeshHttpRoute.Attempts attempts) {
        attempts.request().ifPresent(time -> action.setTimeout(Durations.fromNanos(time.toNanos())));
        attempts.retry().ifPresent(retry -> {
            RetryPolicy.Builder policy = RetryPolicy.newBuilder()
                    .setRetryOn("connect-failure,refused-stream,reset,retriable-status-codes")
                    .addAllRetriableStatusCodes(retry.codes())
                    .setNumRetries(UInt32Value.of(retry.attempts()));
            RetryTranslator.elsewhere(policy);
            retry.backoff().ifPresent(pause -> policy.setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder()
                    .setBaseInterval(Durations.fromNanos(pause.toNanos()))));
            action.setRetryPolicy(policy);
        });
        attempts.each().filter(time -> !time.isZero()).ifPresent(time ->
                action.getRetryPolicyBuilder().setPerTryTimeout(Durations.fromNanos(time.toNanos())));
    }

    private void mirror(RouteAction.Builder action, MeshHttpRoute.Mirror mirror) {
        services.resolve(mirror.backend())
                .filter(target -> target.port().protocol().http())
                .ifPresent(target -> {
                    targets.put(Names.cluster(target), target);
                    action.addRequestMirrorPolicies(RouteAction.RequestMirrorPolicy.newBuilder()
                            .setCluster(Names.cluster(target))
                            .setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                                    .setDefaultValue(millionths(mirror.millionths()))));
                });
    }

    private static FractionalPercent millionths(long numerator) {
        return FractionalPercent.newBuilder()
                .setNumerator((int) numerator)
                .setDenominator(DenominatorType.MILLION)
                .build();
    }

    private static void rewrite(RouteAction.Builder action, MeshHttpRoute.Rewrite rewrite, PathMatch path) {
        rewrite.host().ifPresent(action::setHostRewriteLiteral);
        rewrite.path().ifPresent(change -> {
            if (change instanceof MeshHttpRoute.ReplaceFullPath full) {
                action.setRegexRewrite(RegexMatchAndSubstitute.newBuilder()
                        .setPattern(regex("^.+$"))
                        .setSubstitution(full.path().replace("\\", "\\\\")));
            } else if (change instanceof MeshHttpRoute.ReplacePrefix prefix) {
                action.setPrefixRewrite(replacement(prefix.prefix(), path));
            }
        });
    }

    /** The replacement ends in a slash exactly where the matched part does. */
    private static String replacement(String prefix, PathMatch path) {
        return path.prefix().endsWith("/") && !prefix.endsWith("/") ? prefix + "/" : prefix;
    }

    private static RedirectAction redirect(MeshHttpRoute.Redirect redirect, PathMatch path) {
        RedirectAction.Builder action = RedirectAction.newBuilder();
        redirect.scheme().ifPresent(action::setSchemeRedirect);
        redirect.host().ifPresent(action::setHostRedirect);
        redirect.port().ifPresent(action::setPortRedirect);
        redirect.path().ifPresent(change -> {
            if (change instanceof MeshHttpRoute.ReplaceFullPath full) {
                action.setPathRedirect(full.path());
            } else if (change instanceof MeshHttpRoute.ReplacePrefix prefix) {
                action.setPrefixRewrite(replacement(prefix.prefix(), path));
            }
        });
        action.setResponseCode(switch (redirect.status()) {
            case 301 -> RedirectAction.RedirectResponseCode.MOVED_PERMANENTLY;
            case 303 -> RedirectAction.RedirectResponseCode.SEE_OTHER;
            case 307 -> RedirectAction.RedirectResponseCode.TEMPORARY_REDIRECT;
            case 308 -> RedirectAction.RedirectResponseCode.PERMANENT_REDIRECT;
            default -> RedirectAction.RedirectResponseCode.FOUND;
        });
        return action.build();
    }

    private static void headers(Route.Builder route, List<Filter> filters) {
        for (Filter filter : filters) {
            if (filter instanceof MeshHttpRoute.RequestHeaders request) {
                route.addAllRequestHeadersToAdd(options(request.changes()));
                route.addAllRequestHeadersToRemove(request.changes().remove());
            } else if (filter instanceof MeshHttpRoute.ResponseHeaders response) {
                route.addAllResponseHeadersToAdd(options(response.changes()));
                route.addAllResponseHeadersToRemove(response.changes().remove());
            }
        }
    }

    private static List<HeaderValueOption> options(MeshHttpRoute.HeaderChanges changes) {
        List<HeaderValueOption> options = new ArrayList<>();
        changes.set().forEach(header ->
                options.add(option(header, HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)));
        changes.add().forEach(header -> options.add(option(header, HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD)));
        return options;
    }

    private static HeaderValueOption option(MeshHttpRoute.Header header, HeaderAppendAction action) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder()
                        .setKey(header.name())
                        // To Envoy a single % begins a command; the policy means the character.
                        .setValue(header.value().replace("%", "%%")))
                .setAppendAction(action)
                // An empty value is a value; Envoy would leave the header out.
                .setKeepEmptyValue(header.value().isEmpty())
                .build();
    }

    private static <T extends Filter> Optional<T> first(List<Filter> filters, Class<T> type) {
        return filters.stream().filter(type::isInstance).map(type::cast).findFirst();
    }
}
