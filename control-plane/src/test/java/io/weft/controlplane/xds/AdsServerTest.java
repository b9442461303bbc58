package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.identity.ServedCertificates;
import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.AppliedPolicies;
import io.weft.controlplane.policy.PolicySet;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.port.PortLimits;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.service.ServiceCatalog;
import io.weft.controlplane.token.Bearer;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AdsServerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final List<DeltaClient> clients = new ArrayList<>();
    private Server server;

    /** Has a fault as long as it is told to. */
    private static final class Faulty implements Admission {
        private volatile String fault = "";

        @Override
        public ClientNode admit(Bearer bearer, ClientNode node) {
            if (node.id().equals(fault)) {
                throw new IllegalStateException("a fault");
            }
            return node;
        }

        @Override
        public boolean demandsProofOfAll() {
            return false;
        }

        @Override
        public void admitInPlaceOf(ClientNode holder, ClientNode node) {}

        @Override
        public Proved proof(Bearer bearer, String why) {
            return new Proved("default", Workload.NOBODY);
        }
    }

    @AfterEach
    void stop() {
        clients.forEach(DeltaClient::close);
        server.shutdownNow();
        scheduler.shutdownNow();
    }

    private static MeshCompiler compiler() {
        return new MeshCompiler(
                ServiceCatalog.of(List.of()), AppliedPolicies.of(PolicySet.EMPTY, "default"), MeshSecurity.NONE,
                new ServedCertificates(Clock.systemUTC(), new Random(1)), new MadeResources());
    }

    private DeltaClient client(String service) {
        DeltaClient client = new DeltaClient(server.getPort(), Nodes.agent(service, "0", 8080, "v1"));
        clients.add(client);
        return client;
    }

    /** Whichever is told first: streams are in no order. */
    @Test
    void whatFailsForOneStreamKeepsNoOtherFromItsPolicies() throws Exception {
        Faulty admission = new Faulty();
        Registry registry = new Registry(
                new NodeReader(new ResourceParser()), Duration.ofSeconds(45), System::nanoTime, scheduler, () -> {});
        AdsServer ads = new AdsServer(registry, admission, PortLimits.of(PortLimits.INSTANCES), scheduler, () -> {});
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(ads)
                .intercept(new Bearer.Reader((token, host) -> CompletableFuture.completedFuture(Bearer.nobody("there are none"))))
                .build()
                .start();
        DeltaClient broken = client("broken");
        List<DeltaClient> others = List.of(client("a"), client("b"), client("c"));
        await().atMost(PATIENCE).until(() -> ads.nodes().size() == 4);
        admission.fault = "default.broken-0";
        ads.publish(Map.of("default", compiler()));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(others).allSatisfy(
                other -> assertThat(other.names(ResourceType.LISTENER)).containsExactly("self_inbound_dp_8080")));
        assertThat(broken.failure()).isNull();
        assertThat(broken.responses()).isEmpty();
        admission.fault = "";
        ads.publish(Map.of("default", compiler()));
        await().atMost(PATIENCE).untilAsserted(
                () -> assertThat(broken.names(ResourceType.LISTENER)).containsExactly("self_inbound_dp_8080"));
    }
}
