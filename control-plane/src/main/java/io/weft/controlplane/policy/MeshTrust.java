package io.weft.controlplane.policy;

import java.security.cert.X509Certificate;
import java.util.List;

/** Kuma's {@code MeshTrust}: whose certificates count for a trust domain, another mesh's for instance. */
public record MeshTrust(Metadata metadata, String trustDomain, List<X509Certificate> authorities) implements Resource {
    public MeshTrust {
        authorities = List.copyOf(authorities);
    }
}
