package io.weft.policy.parse;

import io.weft.policy.model.FilterOverrides.RateLimits;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.PartialRoutes;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Resource;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost.TlsRequirementType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code envoy.config.route.v3.RouteConfiguration} and its virtual hosts. */
final class RouteConfigurationParser {
    static final String OLD_CORS = "is not supported here; set typed_per_filter_config of the CORS filter";

    private static final int DEFAULT_MAX_DIRECT_RESPONSE_BYTES = 4096;

    private RouteConfigurationParser() {}

    /** One that is a resource of its own. */
    static Resource resource(Field field, io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration config) {
        if (!config.hasVhds()) {
            return parse(field, config);
        }
        Extensions.ads(field.at("vhds").at("config_source"), config.getVhds().getConfigSource());
        // They would be those of virtual hosts that are read without them.
        field.refuseIf(config.getRequestMirrorPoliciesCount() > 0, "request_mirror_policies",
                "is not supported beside vhds; set those of the virtual hosts or routes");
        field.refuseIf(config.hasMaxDirectResponseBodySizeBytes(), "max_direct_response_body_size_bytes", "is not supported beside vhds");
        return new PartialRoutes(parse(field, config.toBuilder().clearVhds().build()));
    }

    static RouteConfiguration parse(
            Field field, io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration config) {
        field.refuseIf(config.hasVhds(), "vhds", "is supported in route configurations that come by rds alone");
        field.refuseIf(config.getIgnorePathParametersInPathMatching(), "ignore_path_parameters_in_path_matching",
                "is not supported; match with safe_regex");
        field.reportIf(config.getInternalOnlyHeadersCount() > 0, "internal_only_headers");
        field.reportIf(config.getValidateClusters().getValue(), "validate_clusters");
        for (int i = 0; i < config.getClusterSpecifierPluginsCount(); i++) {
            Field plugin = field.at("cluster_specifier_plugins", i);
            if (!config.getClusterSpecifierPlugins(i).getIsOptional()) {
                throw plugin.refuse("is not supported; use cluster or weighted_clusters, or set is_optional");
            }
            plugin.report();
        }

        int maxBody = config.hasMaxDirectResponseBodySizeBytes()
                ? Field.limit(config.getMaxDirectResponseBodySizeBytes().getValue())
                : DEFAULT_MAX_DIRECT_RESPONSE_BYTES;
        HeaderChanges headers = HeaderChangesParser.parse(
                field,
                config.getRequestHeadersToAddList(),
                config.getRequestHeadersToRemoveList(),
                config.getResponseHeadersToAddList(),
                config.getResponseHeadersToRemoveList());

        MirrorPolicy[] mirrors = MirrorPolicyParser.parse(field, config.getRequestMirrorPoliciesList()).toArray(MirrorPolicy[]::new);
        List<VirtualHost> hosts = new ArrayList<>(config.getVirtualHostsCount());
        Map<String, Integer> domains = new HashMap<>();
        for (int i = 0; i < config.getVirtualHostsCount(); i++) {
            Field at = field.at("virtual_hosts", i);
            VirtualHost host = virtualHost(at, config.getVirtualHosts(i), maxBody, mirrors);
            for (int d = 0; d < host.domains().size(); d++) {
                Integer other = domains.putIfAbsent(host.domains().get(d).toLowerCase(Locale.ROOT), i);
                if (other != null) {
                    throw at.at("domains", d).refuse("'" + host.domains().get(d) + "' is a domain of virtual_hosts[" + other
                            + "], too; a domain must occur once");
                }
            }
            hosts.add(host);
        }
        return new RouteConfiguration(
                config.getName(),
                hosts,
                config.getIgnorePortInHostMatching(),
                config.getMostSpecificHeaderMutationsWins(),
                headers,
                HttpFilterParser.overrides(field, config.getTypedPerFilterConfigMap()));
    }

    /** One that is a resource of its own, called after its route configuration. */
    static VirtualHost resource(Field field, io.weft.policy.proto.envoy.config.route.v3.VirtualHost host) {
        String name = host.getName();
        field.refuseIf(name.lastIndexOf('/') < 0, "name",
                "is '" + name + "'; name it <route configuration>/<virtual host>, as it comes by itself");
        String own = name.substring(name.lastIndexOf('/') + 1);
        return virtualHost(field, host.toBuilder().setName(own).build(), DEFAULT_MAX_DIRECT_RESPONSE_BYTES);
    }

    @SuppressWarnings("deprecation") // cors
    private static VirtualHost virtualHost(
            Field field, io.weft.policy.proto.envoy.config.route.v3.VirtualHost host, int maxBody, MirrorPolicy... mirrors) {
        field.at("name").notEmpty(host.getName());
        field.refuseIf(host.getDomainsCount() == 0, "domains", "is empty; name at least one domain");
        for (int i = 0; i < host.getDomainsCount(); i++) {
            field.at("domains", i).headerText(host.getDomains(i));
        }
        field.refuseIf(host.hasMatcher(), "matcher", "is not supported; use routes");
        field.refuseIf(host.getRequireTls() == TlsRequirementType.EXTERNAL_ONLY, "require_tls",
                "EXTERNAL_ONLY is not supported: who is external is not known here; use ALL or a redirect");
        field.refuseIf(host.hasRetryPolicyTypedConfig(), "retry_policy_typed_config", "is not supported; use retry_policy");
        field.refuseIf(host.hasCors(), "cors", OLD_CORS);
        field.reportIf(host.getIncludeIsTimeoutRetryHeader(), "include_is_timeout_retry_header");

        List<Route> routes = new ArrayList<>(host.getRoutesCount());
        for (int i = 0; i < host.getRoutesCount(); i++) {
            routes.add(RouteParser.parse(field.at("routes", i), host.getRoutes(i), maxBody));
        }
        return new VirtualHost(
                host.getName(),
                host.getDomainsList(),
                routes,
                host.getRequireTls() == TlsRequirementType.ALL,
                new AttemptCount(host.getIncludeRequestAttemptCount(), host.getIncludeAttemptCountInResponse()),
                ResendingParser.virtualHost(field, host).or(Resending.of(mirrors)),
                HeaderChangesParser.parse(
                        field,
                        host.getRequestHeadersToAddList(),
                        host.getRequestHeadersToRemoveList(),
                        host.getResponseHeadersToAddList(),
                        host.getResponseHeadersToRemoveList()),
                HttpFilterParser.overrides(field, host.getTypedPerFilterConfigMap())
                        .with(new RateLimits(DescriptorLimitParser.ofRoute(field, host.getRateLimitsList()), false)));
    }
}
