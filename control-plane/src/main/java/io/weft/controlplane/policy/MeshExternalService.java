package io.weft.controlplane.policy;

import java.util.List;
import java.util.Optional;

/**
 * Kuma's {@code MeshExternalService}: what is outside of the mesh, and called by a name of the mesh.
 *
 * @param port to which it is called; its endpoints have their own
 * @param endpoints at least one
 * @param tls absent: it is called in plaintext
 */
public record MeshExternalService(Metadata metadata, int port, Protocol protocol, List<Endpoint> endpoints, Optional<Tls> tls)
        implements Resource {

    public MeshExternalService {
        endpoints = List.copyOf(endpoints);
    }

    /**
     * @param address IP literal, or a host name that callers resolve
     * @param priority 0 counts first, a higher one where too little of the lower ones is healthy
     */
    public record Endpoint(String address, int port, int priority) {}

    /**
     * @param versions of which the mode is absent
     * @param serverName absent: the first endpoint's, if it is a name
     * @param names any of which its certificate may have, beside the server's
     * @param authorities PEM; absent: those of the caller's system
     */
    public record Tls(
            MeshTls.Settings versions,
            Verification verification,
            Optional<String> serverName,
            List<Name> names,
            Optional<String> authorities) {
        public Tls {
            names = List.copyOf(names);
        }
    }

    /** What of its certificate is checked. */
    public enum Verification {
        /** Who signed it, and for whom. */
        SECURED,
        /** Who signed it. */
        SKIP_SAN,
        /** Nothing: a name proves nothing in a certificate that anybody may have signed. */
        NONE
    }

    public record Name(Kind kind, String value) {
        public enum Kind { EXACT, PREFIX }
    }
}
