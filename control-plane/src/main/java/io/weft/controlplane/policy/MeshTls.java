package io.weft.controlplane.policy;

import java.util.List;
import java.util.Optional;

/** Kuma's {@code MeshTLS}. */
public record MeshTls(Metadata metadata, InboundTarget target, Settings settings) implements Resource {

    public enum Version { AUTO, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 }

    /** What is absent is left to a policy of lower rank. */
    public record Settings(
            Optional<TlsMode> mode, Optional<Version> minimum, Optional<Version> maximum, Optional<List<String>> ciphers) {

        public static final Settings NONE =
                new Settings(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

        public Settings {
            ciphers = ciphers.map(List::copyOf);
        }

        public Settings over(Settings lower) {
            return new Settings(
                    mode.or(lower::mode), minimum.or(lower::minimum), maximum.or(lower::maximum), ciphers.or(lower::ciphers));
        }
    }
}
