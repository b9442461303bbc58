package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.re2j.Pattern;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.RateLimits;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.ClusterName;
import io.weft.policy.model.RouteAction.HostFromHeader;
import io.weft.policy.model.RouteAction.HostFromPath;
import io.weft.policy.model.RouteAction.HostLiteral;
import io.weft.policy.model.RouteAction.HostOfEndpoint;
import io.weft.policy.model.RouteAction.HostRewrite;
import io.weft.policy.model.RouteAction.InHeader;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.PathRewrite;
import io.weft.policy.model.RouteAction.ReplaceMatched;
import io.weft.policy.model.RouteAction.ReplaceRegex;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.Metadata;
import io.weft.policy.proto.envoy.config.core.v3.RoutingPriority;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.RedirectAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.InternalRedirectAction;
import io.weft.policy.proto.envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.policy.proto.protobuf.Struct;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** {@code envoy.config.route.v3.Route} and its actions. */
final class RouteParser {
    private RouteParser() {}

    /** @param maxBody of a direct response, in bytes */
    static Route parse(Field field, io.weft.policy.proto.envoy.config.route.v3.Route route, int maxBody) {
        field.refuseIf(!route.hasMatch(), "match", "is missing");
        field.reportIf(route.hasDecorator(), "decorator");
        field.reportIf(route.hasTracing(), "tracing");
        return new Route(
                route.getName(),
                MatchParser.route(field.at("match"), route.getMatch()),
                action(field, route, maxBody),
                HeaderChangesParser.parse(
                        field,
                        route.getRequestHeadersToAddList(),
                        route.getRequestHeadersToRemoveList(),
                        route.getResponseHeadersToAddList(),
                        route.getResponseHeadersToRemoveList()),
                HttpFilterParser.overrides(field, route.getTypedPerFilterConfigMap()).with(rateLimits(field.at("route"), route.getRoute())));
    }

    private static RateLimits rateLimits(Field field, io.weft.policy.proto.envoy.config.route.v3.RouteAction action) {
        return new RateLimits(
                DescriptorLimitParser.ofRoute(field, action.getRateLimitsList()), action.getIncludeVhRateLimits().getValue());
    }

    private static RouteAction action(
            Field field, io.weft.policy.proto.envoy.config.route.v3.Route route, int maxBody) {
        switch (route.getActionCase()) {
            case ROUTE:
                return forward(field, route);
            case REDIRECT:
                return redirect(field.at("redirect"), route.getRedirect());
            case DIRECT_RESPONSE:
                return directResponse(field.at("direct_response"), route.getDirectResponse(), maxBody);
            case NON_FORWARDING_ACTION:
                return new RouteAction.NonForwarding();
            case FILTER_ACTION:
                throw field.at("filter_action").refuse("is not supported; use route, redirect or direct_response");
            default:
                throw field.refuse("has no action; set route, redirect or direct_response");
        }
    }

    @SuppressWarnings("deprecation") // what older control planes send must be refused or reported, too
    private static RouteAction forward(Field parent, io.weft.policy.proto.envoy.config.route.v3.Route route) {
        Field field = parent.at("route");
        io.weft.policy.proto.envoy.config.route.v3.RouteAction action = route.getRoute();
        field.refuseIf(action.hasRetryPolicyTypedConfig(), "retry_policy_typed_config", "is not supported; use retry_policy");
        field.refuseIf(action.hasInternalRedirectPolicy(), "internal_redirect_policy",
                "is not supported; the app's own client decides about redirects");
        field.refuseIf(action.getInternalRedirectAction() == InternalRedirectAction.HANDLE_INTERNAL_REDIRECT,
                "internal_redirect_action", "is not supported; the app's own client decides about redirects");
        field.reportIf(action.hasEarlyDataPolicy(), "early_data_policy");
        field.refuseIf(action.getPriority() == RoutingPriority.UNRECOGNIZED, "priority", "is unknown");
        field.refuseIf(action.hasCors(), "cors", RouteConfigurationParser.OLD_CORS);
        field.reportIf(action.getUpgradeConfigsCount() > 0, "upgrade_configs");
        field.reportIf(action.hasMaxInternalRedirects(), "max_internal_redirects");

        return new RouteAction.Forward(
                new ClusterChoice(clusters(field, action), valueHeader(field, action), notFoundStatus(field, action)),
                new Rewrite(
                        pathRewrite(parent, route.getMatch(), action), host(field, action), action.getAppendXForwardedHost()),
                ResendingParser.route(parent, route),
                TimeoutParser.route(field, action),
                HashPolicyParser.parse(field, action.getHashPolicyList()),
                metadataMatch(field, action.getMetadataMatch()),
                action.getPriority() == RoutingPriority.HIGH
                        ? io.weft.policy.model.RoutingPriority.HIGH
                        : io.weft.policy.model.RoutingPriority.DEFAULT);
    }

    /** Only the namespace of load balancing means something to a balancer. */
    private static Map<String, Object> metadataMatch(Field parent, Metadata metadata) {
        Field field = parent.at("metadata_match");
        for (String namespace : new TreeSet<>(metadata.getFilterMetadataMap().keySet())) {
            if (!namespace.equals(EndpointParser.LB_METADATA)) {
                field.at("filter_metadata", namespace).report();
            }
        }
        for (String namespace : new TreeSet<>(metadata.getTypedFilterMetadataMap().keySet())) {
            field.at("typed_filter_metadata", namespace).report();
        }
        return StructParser.parse(
                metadata.getFilterMetadataOrDefault(EndpointParser.LB_METADATA, Struct.getDefaultInstance()));
    }

    private static List<WeightedCluster> clusters(
            Field field, io.weft.policy.proto.envoy.config.route.v3.RouteAction action) {
        switch (action.getClusterSpecifierCase()) {
            case CLUSTER:
                String name = field.at("cluster").notEmpty(action.getCluster());
                return List.of(WeightedCluster.of(name, 1));
            case WEIGHTED_CLUSTERS:
                return weighted(field.at("weighted_clusters"), action.getWeightedClusters());
            case CLUSTER_HEADER:
                String header = headerName(field.at("cluster_header"), action.getClusterHeader());
                return List.of(new WeightedCluster(
                        new InHeader(header), 1, HeaderChanges.NONE, Optional.empty(), FilterOverrides.NONE, Map.of()));
            case CLUSTER_SPECIFIER_PLUGIN:
                throw field.at("cluster_specifier_plugin").refuse("is not supported; use cluster or weighted_clusters");
            case INLINE_CLUSTER_SPECIFIER_PLUGIN:
                throw field.at("inline_cluster_specifier_plugin")
                        .refuse("is not supported; use cluster or weighted_clusters");
            default:
                throw field.refuse("has no cluster; set cluster or weighted_clusters");
        }
    }

    private static List<WeightedCluster> weighted(
            Field field, io.weft.policy.proto.envoy.config.route.v3.WeightedCluster weighted) {
        field.refuseIf(weighted.getClustersCount() == 0, "clusters", "is empty; name at least one cluster");
        List<WeightedCluster> clusters = new ArrayList<>(weighted.getClustersCount());
        long sum = 0;
        for (int i = 0; i < weighted.getClustersCount(); i++) {
            var cluster = weighted.getClusters(i);
            Field at = field.at("clusters", i);
            at.refuseIf(!cluster.hasWeight(), "weight", "is missing; set it, 0 for a cluster without traffic");
            int weight = at.at("weight").quantity(cluster.getWeight().getValue());
            sum += weight;
            clusters.add(new WeightedCluster(
                    clusterName(at, cluster),
                    weight,
                    HeaderChangesParser.parse(
                            at,
                            cluster.getRequestHeadersToAddList(),
                            cluster.getRequestHeadersToRemoveList(),
                            cluster.getResponseHeadersToAddList(),
                            cluster.getResponseHeadersToRemoveList()),
                    text(at.at("host_rewrite_literal"), cluster.getHostRewriteLiteral()),
                    HttpFilterParser.overrides(at, cluster.getTypedPerFilterConfigMap()),
                    metadataMatch(at, cluster.getMetadataMatch())));
        }
        field.refuseIf(sum == 0, "clusters", "have no weight; give one of them a weight above zero");
        field.refuseIf(sum > Integer.MAX_VALUE, "clusters", "weigh " + sum + " together; the most is " + Integer.MAX_VALUE);
        return clusters;
    }

    private static ClusterName clusterName(
            Field field, io.weft.policy.proto.envoy.config.route.v3.WeightedCluster.ClusterWeight cluster) {
        if (cluster.getClusterHeader().isEmpty()) {
            return new Named(field.at("name").notEmpty(cluster.getName()));
        }
        field.refuseIf(!cluster.getName().isEmpty(), "cluster_header", "and name are both set; set one");
        return new InHeader(headerName(field.at("cluster_header"), cluster.getClusterHeader()));
    }

    private static Optional<String> valueHeader(
            Field field, io.weft.policy.proto.envoy.config.route.v3.RouteAction action) {
        String name = action.getWeightedClusters().getHeaderName();
        return name.isEmpty()
                ? Optional.empty()
                : Optional.of(headerName(field.at("weighted_clusters").at("header_name"), name));
    }

    static String headerName(Field field, String name) {
        return field.headerText(field.notEmpty(name)).toLowerCase(Locale.ROOT);
    }

    private static int notFoundStatus(Field field, io.weft.policy.proto.envoy.config.route.v3.RouteAction action) {
        switch (action.getClusterNotFoundResponseCode()) {
            case SERVICE_UNAVAILABLE:
                return ClusterChoice.SERVICE_UNAVAILABLE;
            case NOT_FOUND:
                return 404;
            case INTERNAL_SERVER_ERROR:
                return 500;
            default:
                throw field.at("cluster_not_found_response_code").refuse("is unknown");
        }
    }

    private static Optional<PathRewrite> pathRewrite(
            Field route,
            io.weft.policy.proto.envoy.config.route.v3.RouteMatch match,
            io.weft.policy.proto.envoy.config.route.v3.RouteAction action) {
        Field field = route.at("route");
        boolean prefix = !action.getPrefixRewrite().isEmpty();
        if (action.hasPathRewritePolicy()) {
            field.refuseIf(prefix || action.hasRegexRewrite(), "path_rewrite_policy",
                    "and prefix_rewrite or regex_rewrite are both set; set one");
            return Optional.of(templateRewrite(route, match, action.getPathRewritePolicy()));
        }
        if (action.hasRegexRewrite()) {
            field.refuseIf(prefix, "regex_rewrite", "and prefix_rewrite are both set; set one");
            return Optional.of(regexRewrite(field.at("regex_rewrite"), action.getRegexRewrite()));
        }
        if (!prefix) {
            return Optional.empty();
        }
        field.refuseIf(match.hasPathMatchPolicy(), "prefix_rewrite",
                "does not go with path_match_policy; use path_rewrite_policy");
        return Optional.of(new ReplaceMatched(field.at("prefix_rewrite").headerText(action.getPrefixRewrite())));
    }

    private static PathRewrite templateRewrite(
            Field route, io.weft.policy.proto.envoy.config.route.v3.RouteMatch match, TypedExtensionConfig policy) {
        Field field = route.at("route").at("path_rewrite_policy");
        if (!match.hasPathMatchPolicy()) {
            throw field.refuse("needs a path_match_policy, whose variables it uses");
        }
        UriTemplate template = MatchParser.template(route.at("match").at("path_match_policy"), match.getPathMatchPolicy());
        UriTemplateRewriteConfig config = MatchParser.extension(
                field, policy, "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
                UriTemplateRewriteConfig.parser());
        Field text = field.at("typed_config").at("path_template_rewrite");
        return new ReplaceRegex("^" + template.regex() + "$", template.substitution(text, config.getPathTemplateRewrite()));
    }

    static ReplaceRegex regexRewrite(Field field, RegexMatchAndSubstitute rewrite) {
        field.refuseIf(!rewrite.hasPattern(), "pattern", "is missing");
        Pattern pattern = MatchParser.compile(field.at("pattern"), rewrite.getPattern());
        Field substitution = field.at("substitution");
        String text = substitution.headerText(rewrite.getSubstitution());
        for (int i = text.indexOf('\\'); i >= 0; i = text.indexOf('\\', i + 1)) {
            i++;
            char c = i < text.length() ? text.charAt(i) : ' ';
            if (c >= '0' && c <= '9') {
                if (c - '0' > pattern.groupCount()) {
                    throw substitution.refuse("refers to group " + c + ", but the pattern has " + pattern.groupCount());
                }
            } else if (c != '\\') {
                throw substitution.refuse("a backslash must be followed by a digit or a backslash");
            }
        }
        return new ReplaceRegex(rewrite.getPattern().getRegex(), text);
    }

    private static Optional<HostRewrite> host(
            Field field, io.weft.policy.proto.envoy.config.route.v3.RouteAction action) {
        switch (action.getHostRewriteSpecifierCase()) {
            case HOST_REWRITE_LITERAL:
                Optional<String> host = text(field.at("host_rewrite_literal"), action.getHostRewriteLiteral());
                return host.isEmpty() ? Optional.empty() : Optional.of(new HostLiteral(host.get()));
            case AUTO_HOST_REWRITE:
                return action.getAutoHostRewrite().getValue() ? Optional.of(new HostOfEndpoint()) : Optional.empty();
            case HOST_REWRITE_HEADER:
                return Optional.of(new HostFromHeader(
                        headerName(field.at("host_rewrite_header"), action.getHostRewriteHeader())));
            case HOST_REWRITE_PATH_REGEX:
                return Optional.of(new HostFromPath(
                        regexRewrite(field.at("host_rewrite_path_regex"), action.getHostRewritePathRegex())));
            default:
                return Optional.empty();
        }
    }

    private static RouteAction redirect(Field field, RedirectAction redirect) {
        Optional<String> scheme = Optional.empty();
        if (redirect.getHttpsRedirect()) {
            scheme = Optional.of("https");
        } else if (!redirect.getSchemeRedirect().isEmpty()) {
            scheme = Optional.of(redirect.getSchemeRedirect());
        }
        int port = redirect.getPortRedirect();
        field.refuseIf(port < 0 || port > 65_535, "port_redirect", "must be 0 to 65535");
        return new RouteAction.Redirect(
                scheme,
                text(field.at("host_redirect"), redirect.getHostRedirect()),
                port,
                text(field.at("path_redirect"), redirect.getPathRedirect()),
                redirectRewrite(field, redirect),
                redirect.getStripQuery(),
                status(field, redirect));
    }

    private static Optional<PathRewrite> redirectRewrite(Field field, RedirectAction redirect) {
        if (redirect.hasRegexRewrite()) {
            return Optional.of(regexRewrite(field.at("regex_rewrite"), redirect.getRegexRewrite()));
        }
        Optional<String> prefix = text(field.at("prefix_rewrite"), redirect.getPrefixRewrite());
        return prefix.isEmpty() ? Optional.empty() : Optional.of(new ReplaceMatched(prefix.get()));
    }

    private static Optional<String> text(Field field, String value) {
        return value.isEmpty() ? Optional.empty() : Optional.of(field.headerText(value));
    }

    private static int status(Field field, RedirectAction redirect) {
        switch (redirect.getResponseCode()) {
            case MOVED_PERMANENTLY:
                return 301;
            case FOUND:
                return 302;
            case SEE_OTHER:
                return 303;
            case TEMPORARY_REDIRECT:
                return 307;
            case PERMANENT_REDIRECT:
                return 308;
            default:
                throw field.at("response_code").refuse("is unknown");
        }
    }

    private static RouteAction directResponse(Field field, DirectResponseAction response, int maxBody) {
        int status = response.getStatus();
        field.refuseIf(status < 200 || status > 599, "status", "must be 200 to 599, is " + Integer.toUnsignedString(status));
        ByteString body = response.hasBody() ? inline(field.at("body"), response.getBody()) : ByteString.EMPTY;
        field.refuseIf(body.size() > maxBody, "body", "has " + body.size() + " bytes, more than the " + maxBody
                + " of max_direct_response_body_size_bytes");
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body.toByteArray())).toString();
            return new RouteAction.DirectResponse(status, text);
        } catch (CharacterCodingException e) {
            throw field.at("body").at("inline_bytes").refuse("is not UTF-8 text");
        }
    }

    static ByteString inline(Field field, DataSource source) {
        switch (source.getSpecifierCase()) {
            case INLINE_STRING:
                return source.getInlineStringBytes();
            case INLINE_BYTES:
                return source.getInlineBytes();
            case FILENAME:
                throw field.at("filename").refuse("is not supported; use inline_string");
            case ENVIRONMENT_VARIABLE:
                throw field.at("environment_variable").refuse("is not supported; use inline_string");
            default:
                throw field.refuse("is empty; set inline_string");
        }
    }
}
