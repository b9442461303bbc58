package io.weft.agent.mesh;

import io.weft.agent.settings.Settings;
import io.weft.policy.Health;
import io.weft.policy.NodeSource;
import java.net.InetAddress;
import java.util.Optional;

/** Who this process is to the control plane, in the control plane's own terms. Thread-safe; the name stays for the life of the process. */
interface Instance extends NodeSource {

    /** By which the control plane's operators know it. */
    String name();

    /** By which they know it now, where that changes. */
    default String registered() {
        return name();
    }

    /** Of Kubernetes, in which this process runs, where the control plane's names depend on it; empty: they do not. */
    default String namespace() {
        return "";
    }

    /** Whether others can call it by now, where the control plane is told that apart from who it is; empty: it is not. */
    default Optional<Health> health() {
        return Optional.empty();
    }

    /** That others reach this process at. */
    static String address(Settings settings, InetAddress local) {
        return settings.address().orElse(withoutScope(local));
    }

    private static String withoutScope(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return scope < 0 ? text : text.substring(0, scope);
    }
}
