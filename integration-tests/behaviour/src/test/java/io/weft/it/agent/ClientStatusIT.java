package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.envoyproxy.envoy.admin.v3.ClientResourceStatus;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.service.status.v3.ClientConfig.GenericXdsConfig;
import io.envoyproxy.envoy.service.status.v3.ClientStatusDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.status.v3.ClientStatusRequest;
import io.envoyproxy.envoy.service.status.v3.ClientStatusResponse;
import io.envoyproxy.envoy.type.matcher.v3.NodeMatcher;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The client status discovery service on the admin socket, asked by a client of gRPC as any tool for it would. */
class ClientStatusIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path sockets = testbed.temporaryFolder().resolve("sockets");
    private final Upstream orders = testbed.upstream("orders");

    @EveryJdk
    void eachResourceIsToldWithItsStateAndItsContent(Jdk jdk) throws Exception {
        Instant began = Instant.now();
        PolicyServer policies = testbed.policyServer();
        Policy policy = Policy.empty().cluster("orders", orders.address()).virtualHost("orders", Routes.to("orders"));
        policies.serve(policy);
        JvmProcess app = testbed.jvm("client", jdk).mesh(policies.uri(), "shop").environment("WEFT_ADMIN_DIR", sockets.toString())
                .driver(JavaNetHttp.class);
        assertThat(app.get("http://orders/").body()).isEqualTo("orders");
        policies.serve(policy.cluster("broken",
                cluster -> cluster.setClusterType(Cluster.CustomClusterType.newBuilder().setName("custom")), orders.address()));
        await().until(() -> !policies.refusals().isEmpty());
        Path socket = sockets.resolve(app.pid() + ".sock");
        await().until(() -> AdminPage.isOpen(socket));

        asking(socket, channel -> {
            ClientStatusDiscoveryServiceGrpc.ClientStatusDiscoveryServiceBlockingStub stub = ClientStatusDiscoveryServiceGrpc.newBlockingStub(channel);
            ClientStatusResponse whole = stub.fetchClientStatus(ClientStatusRequest.getDefaultInstance());
            assertThat(whole.getConfigCount()).isEqualTo(1);
            assertThat(whole.getConfig(0).getNode().getId()).startsWith("default.shop-");
            assertThat(whole.getConfig(0).getNode().getUserAgentName()).isEqualTo("weft");

            GenericXdsConfig good = resource(whole, "Cluster", "orders");
            assertThat(good.getClientStatus()).isEqualTo(ClientResourceStatus.ACKED);
            assertThat(good.getXdsConfig().unpack(Cluster.class).getName()).isEqualTo("orders");
            assertThat(resource(whole, "ClusterLoadAssignment", "orders").hasXdsConfig()).isTrue();
            assertThat(good.getLastUpdated().getSeconds()).isBetween(began.getEpochSecond(), Instant.now().getEpochSecond());
            GenericXdsConfig bad = resource(whole, "Cluster", "broken");
            assertThat(bad.getClientStatus()).isEqualTo(ClientResourceStatus.NACKED);
            assertThat(bad.getErrorState().getDetails()).startsWith("cluster_type: ");
            assertThat(bad.getErrorState().getLastUpdateAttempt().getSeconds()).isPositive();
            assertThat(bad.hasLastUpdated()).isFalse();
            assertThat(bad.hasXdsConfig()).as("it never had a good version").isFalse();

            ClientStatusResponse names = stub.fetchClientStatus(ClientStatusRequest.newBuilder().setExcludeResourceContents(true).build());
            assertThat(names.getConfig(0).getGenericXdsConfigsCount()).isEqualTo(whole.getConfig(0).getGenericXdsConfigsCount());
            assertThat(names.getConfig(0).getGenericXdsConfigsList()).noneMatch(GenericXdsConfig::hasXdsConfig);

            assertThatThrownBy(() -> stub.fetchClientStatus(
                    ClientStatusRequest.newBuilder().addNodeMatchers(NodeMatcher.getDefaultInstance()).build()))
                    .isInstanceOf(StatusRuntimeException.class).hasMessageStartingWith("INVALID_ARGUMENT: node_matchers");
            streams(ClientStatusDiscoveryServiceGrpc.newStub(channel));
        });

        JsonNode config = new ObjectMapper().readTree(AdminPage.ask(socket, "GET", "/csds")).at("/config/0");
        assertThat(config.at("/node/id").asText()).startsWith("default.shop-");
        assertThat(config.at("/genericXdsConfigs")).extracting(each -> each.path("name").asText() + " " + each.path("clientStatus").asText())
                .contains("orders ACKED", "broken NACKED");
    }

    /** A response for each request, for as long as the caller wants. */
    private static void streams(ClientStatusDiscoveryServiceGrpc.ClientStatusDiscoveryServiceStub stub) throws InterruptedException {
        BlockingQueue<Object> answers = new LinkedBlockingQueue<>();
        StreamObserver<ClientStatusRequest> requests = stub.streamClientStatus(new StreamObserver<>() {
            @Override
            public void onNext(ClientStatusResponse response) {
                answers.add(response);
            }

            @Override
            public void onError(Throwable error) {
                answers.add(error);
            }

            @Override
            public void onCompleted() {
                answers.add("completed");
            }
        });
        for (int i = 0; i < 2; i++) {
            requests.onNext(ClientStatusRequest.getDefaultInstance());
            assertThat(answers.poll(10, TimeUnit.SECONDS)).isInstanceOf(ClientStatusResponse.class);
        }
        requests.onCompleted();
        assertThat(answers.poll(10, TimeUnit.SECONDS)).isEqualTo("completed");
    }

    private static GenericXdsConfig resource(ClientStatusResponse response, String type, String name) {
        List<GenericXdsConfig> found = response.getConfig(0).getGenericXdsConfigsList().stream()
                .filter(each -> each.getTypeUrl().endsWith("." + type) && each.getName().equals(name)).toList();
        assertThat(found).as(type + " " + name + " of " + response.getConfig(0).getGenericXdsConfigsList().stream()
                .collect(Collectors.groupingBy(GenericXdsConfig::getTypeUrl, Collectors.mapping(GenericXdsConfig::getName, Collectors.toList()))))
                .hasSize(1);
        return found.get(0);
    }

    private interface Questions {
        void ask(ManagedChannel channel) throws Exception;
    }

    private static void asking(Path socket, Questions questions) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ManagedChannel channel = NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioDomainSocketChannel.class).eventLoopGroup(group).overrideAuthority("weft").usePlaintext().build();
        try {
            questions.ask(channel);
        } finally {
            channel.shutdownNow();
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        }
    }
}
