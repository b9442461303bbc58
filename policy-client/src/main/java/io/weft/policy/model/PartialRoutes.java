package io.weft.policy.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A {@code RouteConfiguration} whose virtual hosts come one by one ({@code vhds}).
 *
 * @param configuration with those virtual hosts that it has itself
 */
public record PartialRoutes(RouteConfiguration configuration) implements Resource {

    @Override
    public String name() {
        return configuration.name();
    }

    /** With these beside its own ones. Each by itself knows not of the others, so a domain that occurs twice is the first one's. */
    public RouteConfiguration with(Collection<VirtualHost> others) {
        List<VirtualHost> all = new ArrayList<>(configuration.virtualHosts().size() + others.size());
        Set<String> domains = new HashSet<>();
        configuration.virtualHosts().forEach(host -> add(host, domains, all));
        others.forEach(host -> add(host, domains, all));
        return new RouteConfiguration(
                configuration.name(),
                all,
                configuration.ignorePortInHostMatching(),
                configuration.mostSpecificHeadersWin(),
                configuration.headers(),
                configuration.filters());
    }

    private static void add(VirtualHost host, Set<String> domains, List<VirtualHost> all) {
        List<String> own = host.domains().stream().filter(domain -> domains.add(domain.toLowerCase(Locale.ROOT))).toList();
        if (own.size() == host.domains().size()) {
            all.add(host);
        } else if (!own.isEmpty()) {
            all.add(host.under(own));
        }
    }
}
