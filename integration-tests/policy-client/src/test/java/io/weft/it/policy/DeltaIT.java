package io.weft.it.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.PolicyServer.Protocol;
import io.weft.policy.PolicyClient;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeltaIT extends JavaControlPlaneContract {
    @Override
    Protocol protocol() {
        return Protocol.DELTA_AND_STATE_OF_THE_WORLD;
    }

    @Test
    void onReconnectingItSaysWhatItHolds() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            server.serve(Policy.empty().service("orders", endpoint(1)).service("users", endpoint(2)));
            awaitCluster(client, "users");
            assertThat(server.deltaRequests()).allMatch(request -> request.getInitialResourceVersionsMap().isEmpty());
            server.stop();
            int before = server.deltaRequests().size();
            server.restart();
            await().until(() -> server.deltaRequests().size() >= before + 4);

            List<DeltaDiscoveryRequest> again = server.deltaRequests().subList(before, before + 4);
            assertThat(again).extracting(request -> request.getInitialResourceVersionsMap().keySet()).containsExactly(
                    Set.of("orders", "users"), Set.of("orders", "users"), Set.of("outbound:80"), Set.of("outbound:80"));
        }
    }
}
