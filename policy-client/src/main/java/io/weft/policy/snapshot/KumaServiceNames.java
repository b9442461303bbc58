package io.weft.policy.snapshot;

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

/**
 * What Services of a cluster are called in which a kuma-cp runs. Its listeners for them are on the cluster's own addresses, of which the
 * cluster's DNS tells, so that kuma-cp does not; but a listener by its unified name says of which Service it is:
 * {@code kri_msvc_<mesh>_<zone>_<namespace>_<name>_<port>}.
 */
final class KumaServiceNames {
    private static final String PREFIX = "kri_msvc_";
    private static final int PARTS = 7;
    private static final int NAMESPACE = 4;
    private static final int NAME = 5;
    private static final int CLASS_E = 240;
    private static final String DOMAIN = ".svc.cluster.local";

    private KumaServiceNames() {}

    static Map<String, Host> of(Collection<Listener> listeners) {
        Map<Service, List<String>> addresses = new HashMap<>();
        for (Listener listener : listeners) {
            if (listener.kind() != Kind.OUTBOUND || !listener.name().startsWith(PREFIX)) {
                continue;
            }
            String address = listener.address().host();
            String[] parts = listener.name().split("_", -1);
            if (parts.length == PARTS && !parts[NAMESPACE].isEmpty() && !isOfKuma(address)) {
                List<String> known = addresses.computeIfAbsent(
                        new Service(parts[NAME].toLowerCase(Locale.ROOT), parts[NAMESPACE].toLowerCase(Locale.ROOT)), service -> new ArrayList<>(1));
                if (!known.contains(address)) {
                    known.add(address);
                }
            }
        }
        Map<String, Host> hosts = new HashMap<>();
        addresses.forEach((service, all) ->
                hosts.put(service.name() + '.' + service.namespace() + DOMAIN, new Host(all, Optional.of(service))));
        return hosts;
    }

    /** Of the range that kuma-cp gives addresses from (240.0.0.0/4), and no cluster: the Service is another zone's, and not of that name here. */
    private static boolean isOfKuma(String address) {
        int dot = address.indexOf('.');
        return dot == 3 && address.compareTo(CLASS_E + ".") >= 0;
    }
}
