package io.weft.policy.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a control plane's own name service answers: a proxy beside the app would have the app's questions redirected to it, and so
 * listeners are found that are bound to one of these addresses.
 *
 * @param hosts by host name, in lower case
 */
public record NameTable(Map<String, Host> hosts) implements Resource {
    /** There is one of a control plane. */
    public static final String NAME = "names";

    public static final NameTable EMPTY = new NameTable(Map.of());

    /**
     * @param addresses IP addresses
     * @param service of Kubernetes, which has shorter names, too
     */
    public record Host(List<String> addresses, Optional<Service> service) {
        public Host {
            addresses = List.copyOf(addresses);
        }
    }

    public record Service(String name, String namespace) {}

    public NameTable {
        hosts = Map.copyOf(hosts);
    }

    @Override
    public String name() {
        return NAME;
    }

    /** With the shorter names that a process in that namespace of Kubernetes may use. */
    public NameTable in(String namespace) {
        Map<String, Host> all = new HashMap<>();
        hosts.forEach((name, host) -> host.service.ifPresent(service -> {
            Host same = new Host(host.addresses, Optional.empty());
            all.put(service.name + '.' + service.namespace + ".svc", same);
            all.put(service.name + '.' + service.namespace, same);
            if (service.namespace.equals(namespace)) {
                all.put(service.name, same);
            }
        }));
        all.putAll(hosts);
        return new NameTable(all);
    }
}
