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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Services of a cluster are called in which a kuma-cp runs. Its listeners for them are on the cluster's own addresses, of which the
 * cluster's DNS tells, so that kuma-cp does not; but a listener says of which Service it is: by its unified name,
 * {@code kri_msvc_<mesh>_<zone>_<namespace>_<name>_<port>}, or, in a mesh without {@code MeshService}s, by what its statistics are called,
 * the tag {@code kuma.io/service} of the Service: {@code <name>_<namespace>_svc_<port>}.
 */
final class KumaServiceNames {
    private static final String PREFIX = "kri_msvc_";
    private static final int PARTS = 7;
    /** No name of Kubernetes has an underscore. */
    private static final Pattern TAG = Pattern.compile("([^_]+)_([^_]+)_svc_[0-9]+");
    private static final int NAMESPACE = 4;
    private static final int NAME = 5;
    private static final int CLASS_E = 240;
    private static final String DOMAIN = ".svc.cluster.local";

    private KumaServiceNames() {}

    static Map<String, Host> of(Collection<Listener> listeners) {
        Map<Service, List<String>> addresses = new HashMap<>();
        for (Listener listener : listeners) {
            String address = listener.address().host();
            if (listener.kind() != Kind.OUTBOUND || isOfKuma(address)) {
                continue;
            }
            service(listener).ifPresent(service -> {
                List<String> known = addresses.computeIfAbsent(service, each -> new ArrayList<>(1));
                if (!known.contains(address)) {
                    known.add(address);
                }
            });
        }
        Map<String, Host> hosts = new HashMap<>();
        addresses.forEach((service, all) ->
                hosts.put(service.name() + '.' + service.namespace() + DOMAIN, new Host(all, Optional.of(service))));
        return hosts;
    }

    private static Optional<Service> service(Listener listener) {
        if (listener.name().startsWith(PREFIX)) {
            String[] parts = listener.name().split("_", -1);
            return parts.length == PARTS && !parts[NAMESPACE].isEmpty() ? Optional.of(service(parts[NAME], parts[NAMESPACE])) : Optional.empty();
        }
        return listener.allFilterChains().stream()
                .map(chain -> TAG.matcher(chain.http().statPrefix())).filter(Matcher::matches).findFirst()
                .map(tag -> service(tag.group(1), tag.group(2)));
    }

    private static Service service(String name, String namespace) {
        return new Service(name.toLowerCase(Locale.ROOT), namespace.toLowerCase(Locale.ROOT));
    }

    /** Of the range that kuma-cp gives addresses from (240.0.0.0/4), and no cluster: the Service is another zone's, and not of that name here. */
    private static boolean isOfKuma(String address) {
        int dot = address.indexOf('.');
        return dot == 3 && address.compareTo(CLASS_E + ".") >= 0;
    }
}
