package io.weft.policy.snapshot;

import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.Listener;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.model.NameTable.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * For whoever has istiod's listeners and not its name table: what a service is called that has a listener on an address of its own. Its
 * routes have the service's name and its port for a name.
 */
final class ListenerNames {
    private static final Set<String> ANY_ADDRESS = Set.of("0.0.0.0", "::");

    private ListenerNames() {}

    static Map<String, Host> of(Collection<Listener> listeners) {
        Map<String, List<String>> addresses = new HashMap<>();
        for (Listener listener : listeners) {
            String address = listener.address().host();
            if (listener.kind() != Kind.OUTBOUND || ANY_ADDRESS.contains(address)) {
                continue;
            }
            for (FilterChain chain : listener.filterChains()) {
                if (chain.http().routes() instanceof Named named) {
                    host(named.routeConfigName(), listener.address().port()).ifPresent(host -> {
                        List<String> known = addresses.computeIfAbsent(host, name -> new ArrayList<>(1));
                        if (!known.contains(address)) {
                            known.add(address);
                        }
                    });
                }
            }
        }
        Map<String, Host> hosts = new HashMap<>();
        addresses.forEach((name, all) -> hosts.put(name, new Host(all, service(name))));
        return hosts;
    }

    private static Optional<String> host(String routes, int port) {
        String suffix = ":" + port;
        return routes.endsWith(suffix) && routes.length() > suffix.length()
                ? Optional.of(routes.substring(0, routes.length() - suffix.length()).toLowerCase(Locale.ROOT))
                : Optional.empty();
    }

    /** {@code <name>.<namespace>.svc.<domain>}. */
    private static Optional<Service> service(String host) {
        String[] parts = host.split("\\.", 4);
        return parts.length == 4 && parts[2].equals("svc") ? Optional.of(new Service(parts[0], parts[1])) : Optional.empty();
    }
}
