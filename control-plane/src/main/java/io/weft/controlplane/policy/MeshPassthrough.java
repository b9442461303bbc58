package io.weft.controlplane.policy;

import java.util.List;
import java.util.OptionalInt;

/**
 * Kuma's {@code MeshPassthrough}.
 *
 * @param matches of what may be called in mode {@link Mode#MATCHED}
 */
public record MeshPassthrough(Mode mode, List<Match> matches) {

    public MeshPassthrough {
        matches = List.copyOf(matches);
    }

    /** What outside of the mesh may be called. */
    public enum Mode { ALL, NONE, MATCHED }

    /** @param value a host name, perhaps with {@code *.} in front, an address, or an address and the length of a prefix */
    public record Match(Type type, String value, OptionalInt port, Spoken spoken) {}

    public enum Type { DOMAIN, IP, CIDR }

    /** What a proxy can tell apart. */
    public enum Spoken { HTTP, TLS, TCP }
}
