package io.weft.benchmarks.decision;

import io.weft.dataplane.DataPlane;
import io.weft.policy.Node;
import io.weft.policy.PolicyClient;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.PolicySnapshot;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Several agents' policy clients and data planes in one process. Each says when its decisions for {@code http://orders/} first
 * set another {@code x-revision} on the request: {@code revision=…&agent=…&micros=…}, microseconds of the wall clock, which
 * all processes of a machine share. Arguments: the control plane's URI, how many agents, a prefix for their names. Ends with
 * standard input.
 */
public final class PolicyAgents {
    private PolicyAgents() {}

    public static void main(String[] args) throws IOException {
        List<PolicyClient> clients = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(args[1]); i++) {
            clients.add(start(URI.create(args[0]), args[2] + i));
        }
        System.in.transferTo(OutputStream.nullOutputStream());
        clients.forEach(PolicyClient::close);
    }

    private static PolicyClient start(URI controlPlane, String name) {
        PolicyClientConfig config = new PolicyClientConfig(
                controlPlane, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), IdentityConfig.REQUESTED,
                Duration.ofMillis(100), Duration.ofSeconds(5));
        return PolicyClient.start(config, node(name), new Agent(name)::obey);
    }

    private static Node node(String name) {
        String dataplane = """
                {"type":"Dataplane","mesh":"default","name":"%s","networking":{"address":"127.0.0.1","inbound":[]}}""".formatted(name);
        return new Node("default." + name, "shop", Locality.UNKNOWN, Map.of(
                "dataplane.proxyType", "dataplane", "dataplane.resource", dataplane));
    }

    /** Confined to its client's thread. */
    private static final class Agent {
        private final String name;
        private final DataPlane dataPlane = Parts.dataPlane();
        private String revision = "";

        Agent(String name) {
            this.name = name;
        }

        void obey(PolicySnapshot snapshot) {
            dataPlane.apply(snapshot);
            String decided = decision();
            if (!decided.equals(revision)) {
                revision = decided;
                long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
                System.out.println("revision=" + revision + "&agent=" + name + "&micros=" + micros);
            }
        }

        /** The revision that a request sent now would carry; empty when there is none. */
        private String decision() {
            Request request = new Request("orders", "one");
            if (!dataPlane.claims(request)) {
                return "";
            }
            request.next();
            String decided = request.requestChanges().set().stream()
                    .filter(header -> header.getKey().equals("x-revision"))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse("");
            request.end();
            return decided;
        }
    }
}
