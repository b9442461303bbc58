package io.weft.it.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.PolicyServer.Protocol;
import io.weft.policy.PolicyClient;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class StateOfTheWorldIT extends JavaControlPlaneContract {
    @Override
    Protocol protocol() {
        return Protocol.STATE_OF_THE_WORLD;
    }

    @Test
    void onReconnectingItSaysWhatItHolds() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            server.serve(Policy.empty().service("orders", endpoint(1)).service("users", endpoint(2)));
            awaitCluster(client, "users");
            // The snapshot is out before the last acknowledgement is in, and what is under way when a server stops it may hear later.
            await().until(() -> acknowledged(server.requests()).size() == 4);
            server.stop();
            int before = server.requests().size();
            server.restart();
            await().until(() -> server.requests().size() >= before + 4);

            List<DiscoveryRequest> first = server.requests().subList(before, before + 4);
            assertThat(acknowledged(first)).hasSize(4);
            assertThat(first.get(1).getResourceNamesList()).containsExactlyInAnyOrder("orders", "users");
        }
    }

    /** The kinds of resources of which the client says that it has the first version. */
    private static Set<String> acknowledged(List<DiscoveryRequest> requests) {
        return requests.stream()
                .filter(request -> request.getVersionInfo().equals("1"))
                .map(DiscoveryRequest::getTypeUrl)
                .collect(Collectors.toSet());
    }
}
