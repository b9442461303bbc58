package io.weft.policy.identity;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
     * PEM files, as gRPC's {@code file_watcher} names them (gRFC A29): one of the two at least.
     *
     * @param authorities the roots
     */
    public record Files(Optional<CertificateFiles> certificate, Optional<Path> authorities) implements InFiles {}

    /** A certificate, or a chain with the leaf first, and the leaf's key. */
    public record CertificateFiles(Path chain, Path key) {}

    /** Certificate providers by the names of their instances (gRFC A29), of which a policy names the one that it means. */
    public record Providers(Map<String, Files> instances) implements Source {
        public Providers {
            instances = Map.copyOf(instances);
        }
    }

    /** The only names by which a policy may leave something to this process; empty: it has one identity, whatever name a policy gives it. */
    public Set<String> names() {
        return source instanceof Providers several ? several.instances.keySet() : Set.of();
    }
}
