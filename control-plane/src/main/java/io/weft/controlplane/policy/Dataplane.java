package io.weft.controlplane.policy;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Kuma's {@code Dataplane}: written into a file for a service that has no agent, or sent by a data plane about itself.
 *
 * @param address IP literal under which others reach it
 */
public record Dataplane(Metadata metadata, String address, List<Inbound> inbounds) implements Resource {

    /** Of gRPC's health checking protocol. */
    public static final String GRPC_HEALTH = "/grpc.health.v1.Health/Check";

    public Dataplane {
        inbounds = List.copyOf(inbounds);
    }

    /**
     * @param address IP literal under which others reach this port
     * @param servicePort where the app itself listens, on {@code serviceAddress}
     * @param ready whether it may get requests
     * @param tags with the data plane's labels where a tag is absent
     * @param healthPaths that anybody may ask for in plaintext by GET or HEAD (gRPC's by POST), however strict the port is: who checks health has no
     *     certificate
     */
    public record Inbound(
            int port,
            String address,
            Optional<String> name,
            int servicePort,
            String serviceAddress,
            boolean ready,
            Map<String, String> tags,
            Optional<Protocol> protocol,
            Set<String> healthPaths) {
        public Inbound {
            tags = Map.copyOf(tags);
            healthPaths = Collections.unmodifiableSet(new TreeSet<>(healthPaths));
        }
    }
}
