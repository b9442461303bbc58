package io.weft.agent.mesh;

import io.weft.agent.settings.Settings;
import io.weft.policy.Node;
import io.weft.policy.model.EndpointAssignment.Locality;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/**
 * Who this process is to a kuma-cp in Kubernetes mode: a pod, whose {@code Dataplane} kuma-cp makes itself, of the pod's ports and the
 * Services that select it. Nothing is said of it here, and the name stays.
 */
final class KumaPod implements Instance {
    private final Settings settings;
    private final String pod;
    private final String namespace;

    private KumaPod(Settings settings, String pod, String namespace) {
        this.settings = settings;
        this.pod = pod;
        this.namespace = namespace;
    }

    /**
     * Empty: this is none.
     *
     * @param claims of the token that is shown to kuma-cp: one that Kubernetes has made for a pod is of use to no kuma-cp but such a one
     */
    static Optional<Instance> of(Settings settings, Map<String, String> claims) {
        String pod = claims.get("pod");
        String namespace = claims.get("namespace");
        return pod == null || namespace == null ? Optional.empty() : Optional.of(new KumaPod(settings, pod, namespace));
    }

    @Override
    public String name() {
        return settings.mesh() + "." + pod + "." + namespace;
    }

    @Override
    public String namespace() {
        return namespace;
    }

    @Override
    public Node at(InetAddress local) {
        return new Node(name(), settings.service().orElse(pod), new Locality("", settings.zone().orElse(""), ""),
                KumaProxy.metadata(Instance.address(settings, local)));
    }
}
