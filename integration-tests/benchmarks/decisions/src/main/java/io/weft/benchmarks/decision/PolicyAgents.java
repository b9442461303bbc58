package io.weft.benchmarks.decision;

import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Timers;
import io.weft.policy.Dialect;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Several agents' policy clients and data planes in one process. Each notes when its decisions for {@code http://orders/} first
 * set another {@code x-revision} on the request. Once all have, one line says so: {@code revision=…&micros=…,…}, microseconds of the wall
 * clock, which all processes of a machine share; a line for each agent would have whoever reads them compete with those that are measured.
 * Arguments: the control plane's URI, how many agents, a prefix for their names. Ends with standard input.
 */
public final class PolicyAgents {
    private PolicyAgents() {}

    public static void main(String[] args) throws IOException {
        List<PolicyClient> clients = new ArrayList<>();
        int agents = Integer.parseInt(args[1]);
        Report report = new Report(agents);
        Timers timers = Parts.timers();
        for (int i = 0; i < agents; i++) {
            clients.add(start(URI.create(args[0]), args[2] + i, new Agent(Parts.dataPlaneWith(timers), report)));
        }
        System.in.transferTo(OutputStream.nullOutputStream());
        clients.forEach(PolicyClient::close);
    }

    private static PolicyClient start(URI controlPlane, String name, Agent agent) {
        PolicyClientConfig config = new PolicyClientConfig(
                controlPlane, Dialect.XDS, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), IdentityConfig.REQUESTED,
                Duration.ofMillis(100), Duration.ofSeconds(5));
        return PolicyClient.start(config, node(name), agent::obey);
    }

    private static Node node(String name) {
        String dataplane = """
                {"type":"Dataplane","mesh":"default","name":"%s","networking":{"address":"127.0.0.1","inbound":[]}}""".formatted(name);
        return new Node("default." + name, "shop", Locality.UNKNOWN, Map.of(
                "dataplane.proxyType", "dataplane", "dataplane.resource", dataplane));
    }

    /** Thread-safe. */
    private static final class Report {
        private final int agents;
        private final Map<String, List<String>> obeyed = new HashMap<>();

        Report(int agents) {
            this.agents = agents;
        }

        synchronized void obeys(String revision, long micros) {
            List<String> all = obeyed.computeIfAbsent(revision, absent -> new ArrayList<>(agents));
            all.add(Long.toString(micros));
            if (all.size() == agents) {
                obeyed.remove(revision);
                System.out.println("revision=" + revision + "&micros=" + String.join(",", all));
            }
        }
    }

    /** Confined to its client's thread. */
    private static final class Agent {
        private final DataPlane dataPlane;
        private final Report report;
        private String revision = "";

        Agent(DataPlane dataPlane, Report report) {
            this.dataPlane = dataPlane;
            this.report = report;
        }

        void obey(PolicySnapshot snapshot) {
            dataPlane.apply(snapshot);
            String decided = decision();
            if (!decided.equals(revision)) {
                revision = decided;
                report.obeys(revision, ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
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
