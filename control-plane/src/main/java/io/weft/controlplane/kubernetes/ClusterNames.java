package io.weft.controlplane.kubernetes;

import io.weft.controlplane.service.Service;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The names that the cluster's DNS gives to services, as far as a host name can be one. */
final class ClusterNames {

    static final String DEFAULT_DOMAIN = "cluster.local";

    private static final String SERVICES = "svc";

    /** {@code orders.shop}, {@code orders.shop.svc} and {@code orders.shop.svc.cluster.local}. */
    private static List<String> qualified(String name, String namespace) {
        String full = name + "." + namespace;
        return List.of(full, full + "." + SERVICES, full + "." + SERVICES + "." + DEFAULT_DOMAIN);
    }

    /** @param aliases other services that lead to this one */
    static Service.Hosts of(Facts.OfService service, Set<ObjectName> aliases) {
        List<String> everywhere = new ArrayList<>();
        Map<String, List<String>> inNamespace = new HashMap<>();
        add(service.name(), everywhere, inNamespace);
        for (ObjectName alias : new TreeSet<>(aliases)) {
            add(alias, everywhere, inNamespace);
        }
        for (String address : service.clusterAddresses()) {
            everywhere.add(address.contains(":") ? "[" + address + "]" : address);
        }
        return new Service.Hosts(everywhere, inNamespace);
    }

    /** Of one endpoint of a headless service, as a StatefulSet's are called. */
    static Service.Hosts of(String hostname, ObjectName service) {
        List<String> everywhere = new ArrayList<>();
        Map<String, List<String>> inNamespace = new HashMap<>();
        add(new ObjectName(service.namespace(), hostname + "." + service.name()), everywhere, inNamespace);
        return new Service.Hosts(everywhere, inNamespace);
    }

    private static void add(ObjectName name, List<String> everywhere, Map<String, List<String>> inNamespace) {
        everywhere.addAll(qualified(name.name(), name.namespace()));
        inNamespace.computeIfAbsent(name.namespace(), key -> new ArrayList<>()).add(name.name());
    }

    /** The service of this cluster whose other name it is; empty: it is none. */
    static Optional<ObjectName> aliased(Facts.OfService service) {
        return service.externalName().flatMap(name -> {
            String[] labels = name.split("\\.");
            boolean inside = labels.length >= 3
                    && labels[2].equals(SERVICES)
                    && (labels.length == 3 || name.endsWith("." + SERVICES + "." + DEFAULT_DOMAIN) && labels.length == 5);
            return inside ? Optional.of(new ObjectName(labels[1], labels[0])) : Optional.empty();
        });
    }

    private ClusterNames() {}
}
