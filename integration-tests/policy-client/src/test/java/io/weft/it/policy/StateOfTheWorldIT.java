package io.weft.it.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.PolicyServer.Protocol;
import io.weft.policy.PolicyClient;
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
            // The snapshot is out before the last acknowledgement is in.
            await().until(() -> client.status().versions().size() == 4);
            server.stop();
            int before = server.requests().size();
            server.restart();
            await().until(() -> server.requests().size() >= before + 4);

            assertThat(server.requests().subList(before, before + 4))
                    .extracting(DiscoveryRequest::getVersionInfo).containsOnly("1");
            assertThat(server.requests().get(before + 1).getResourceNamesList()).containsExactlyInAnyOrder("orders", "users");
        }
    }
}
