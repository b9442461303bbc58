package io.weft.policy.identity;

import java.net.URI;
import java.nio.file.Path;

/**
 * Where this process gets its identity when a policy leaves that to it: certificate providers, and SDS names that are not served over
 * the ADS stream.
 *
 * @param keyType of the keys for which certificates are asked for
 */
public record IdentityConfig(KeyType keyType, Source source) {
    public static final IdentityConfig REQUESTED = new IdentityConfig(KeyType.EC_P256, new Requested());

    public sealed interface Source {}

    /** It is asked for at the control plane, by Istio's certificate service. */
    public record Requested() implements Source {}

    /**
     * The SPIFFE Workload API gives it, and a fresh one before it expires.
     *
     * @param address {@code unix:///path}, or {@code tcp://address:port}
     */
    public record FromWorkloadApi(URI address) implements Source {
        /** @throws IllegalArgumentException the address is of neither form */
        public FromWorkloadApi {
            WorkloadApi.address(address);
        }
    }

    /** Something else keeps it fresh in files. */
    public sealed interface InFiles extends Source {}

    /** In one of the layouts that are usual, see {@link IdentityFiles}. */
    public record Directory(Path path) implements InFiles {}

    /**
     * PEM files, as gRPC's {@code file_watcher} names them (gRFC A29).
     *
     * @param authorities the roots
     */
    public record Files(Path certificate, Path key, Path authorities) implements InFiles {}
}
