package io.weft.policy;

import static io.weft.policy.Resources.any;
import static io.weft.policy.Resources.assignment;
import static io.weft.policy.Resources.cluster;
import static io.weft.policy.Resources.host;
import static io.weft.policy.Resources.impossibleCluster;
import static io.weft.policy.Resources.listener;
import static io.weft.policy.Resources.partialRoutes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.weft.policy.ClientStatus.State;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChain;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtProvider;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the client tells of each resource, as itself and on the wire. */
@Timeout(60)
class ClientStatusTest {
    private static final byte[] EVERYTHING = {};
    private static final byte[] WITHOUT_CONTENTS = {3 << 3, 1};

    private static State state(ClientUnderTest under, String type, String name) throws Exception {
        return under.client.clientStatus().get(10, TimeUnit.SECONDS).resources().stream()
                .filter(resource -> resource.typeUrl().endsWith("." + type) && resource.name().equals(name))
                .map(ClientStatus.Resource::state)
                .findFirst()
                .orElse(null);
    }

    private static Instant updated(ClientUnderTest under, String type, String name) throws Exception {
        return under.client.clientStatus().get(10, TimeUnit.SECONDS).resources().stream()
                .filter(resource -> resource.typeUrl().endsWith("." + type) && resource.name().equals(name))
                .findFirst().orElseThrow().updated().orElse(null);
    }

    @Test
    void eachResourceHasItsState() throws Exception {
        Instant began = Instant.now();
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            ClientStatus status = under.client.clientStatus().get(10, TimeUnit.SECONDS);
            assertThat(status.node()).isEqualTo("default.web-1");
            assertThat(status.cluster()).isEqualTo("web");
            assertThat(status.resources()).extracting(resource -> resource.typeUrl().substring(resource.typeUrl().lastIndexOf('.') + 1) + " "
                            + resource.name() + " " + resource.state())
                    .containsExactly("Cluster orders ACKED", "ClusterLoadAssignment orders ACKED", "Listener outbound ACKED",
                            "RouteConfiguration routes ACKED");
            assertThat(status.resources()).allSatisfy(resource -> {
                assertThat(resource.version()).isNotEmpty();
                assertThat(resource.updated().orElseThrow()).isBetween(began, Instant.now());
            });
            Instant first = updated(under, "Cluster", "orders");

            policy.put(cluster("users"));
            policy.put(impossibleCluster("orders"));
            policy.push();
            await().until(() -> state(under, "Cluster", "orders") == State.NACKED);
            assertThat(under.client.clientStatus().get(10, TimeUnit.SECONDS).resources()).filteredOn(resource -> resource.state() == State.NACKED).singleElement()
                    .satisfies(refused -> {
                        assertThat(refused.updated()).as("the good one before").contains(first);
                        assertThat(refused.version()).as("the good one before").isNotEmpty();
                        assertThat(refused.refusal()).isPresent();
                    });
            assertThat(state(under, "Cluster", "users")).isEqualTo(State.ACKED);
            assertThat(updated(under, "Cluster", "users")).isAfterOrEqualTo(first);
            assertThat(state(under, "ClusterLoadAssignment", "users")).isEqualTo(State.REQUESTED);
            assertThat(updated(under, "ClusterLoadAssignment", "users")).isNull();

            policy.put(assignment("users", 1002));
            policy.push();
            await().until(() -> state(under, "ClusterLoadAssignment", "users") == State.ACKED);
            policy.remove(ResourceType.ENDPOINTS, "users");
            policy.push();
            await().until(() -> state(under, "ClusterLoadAssignment", "users") == State.DOES_NOT_EXIST);
        }
    }

    @Test
    void onTheWireItIsOneConfigWithTheResourcesAsTheyCame() throws Exception {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");

            List<byte[]> configs = fields(under.client.clientStatus(EVERYTHING).get(10, TimeUnit.SECONDS), 1);
            assertThat(configs).hasSize(1);
            assertThat(fields(configs.get(0), 1)).as("node").singleElement()
                    .satisfies(node -> assertThat(fields(node, 1)).singleElement().isEqualTo("default.web-1".getBytes(StandardCharsets.UTF_8)));
            List<byte[]> resources = fields(configs.get(0), 3);
            assertThat(resources).hasSize(4);
            byte[] any = fields(resources.get(0), 4).get(0);
            assertThat(fields(any, 2)).singleElement().isEqualTo(cluster("orders").toByteArray());

            byte[] names = fields(under.client.clientStatus(WITHOUT_CONTENTS).get(10, TimeUnit.SECONDS), 1).get(0);
            assertThat(fields(names, 3)).hasSize(4).allSatisfy(resource -> assertThat(fields(resource, 4)).isEmpty());
        }
    }

    /** As an Envoy does: for tools that know nothing of virtual hosts that come one by one they are in their route configuration. */
    @Test
    void aRouteConfigurationIsShownWithTheVirtualHostsThatCameByThemselves() throws Exception {
        ServedPolicy policy = new ServedPolicy(
                listener("outbound", "routes"), partialRoutes("routes"), cluster("orders"), assignment("orders", 1001),
                host("routes", "users", "orders"), host("routes", "orders", "orders"));
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            await().untilAsserted(() -> assertThat(routes(under).getVirtualHostsList()).extracting(VirtualHost::getName)
                    .containsExactly("routes/orders", "routes/users"));
            assertThat(routes(under).hasVhds()).isTrue();
            String before = version(under);
            assertThat(dumped(under)).contains(new String(routesAsTold(under), StandardCharsets.ISO_8859_1));

            policy.remove(ResourceType.VIRTUAL_HOSTS, "routes/users");
            policy.put(host("routes", "invoices", "orders"));
            policy.push();
            await().untilAsserted(() -> assertThat(routes(under).getVirtualHostsList()).extracting(VirtualHost::getName)
                    .containsExactly("routes/invoices", "routes/orders"));
            assertThat(version(under)).as("that of what came last").isNotEqualTo(before);
            assertThat(dumped(under)).contains(new String(routesAsTold(under), StandardCharsets.ISO_8859_1));
        }
    }

    private static String dumped(ClientUnderTest under) throws Exception {
        return new String(under.client.configDump().toCompletableFuture().get(10, TimeUnit.SECONDS), StandardCharsets.ISO_8859_1);
    }

    private static String version(ClientUnderTest under) throws Exception {
        return under.client.clientStatus().get(10, TimeUnit.SECONDS).resources().stream()
                .filter(resource -> resource.typeUrl().equals(ResourceType.ROUTES.typeUrl()))
                .findFirst().orElseThrow().version();
    }

    private static RouteConfiguration routes(ClientUnderTest under) throws Exception {
        return RouteConfiguration.parseFrom(routesAsTold(under));
    }

    private static byte[] routesAsTold(ClientUnderTest under) throws Exception {
        byte[] config = fields(under.client.clientStatus(EVERYTHING).get(10, TimeUnit.SECONDS), 1).get(0);
        for (byte[] resource : fields(config, 3)) {
            if (new String(fields(resource, 1).get(0), StandardCharsets.UTF_8).equals(ResourceType.ROUTES.typeUrl())) {
                return fields(fields(resource, 4).get(0), 2).get(0);
            }
        }
        throw new AssertionError("there are no routes");
    }

    /** With such a key anybody could make tokens that are good. */
    @Test
    void aListenerWithAKeyThatTokensAreSignedWithIsNotShown() throws Exception {
        ServedPolicy policy = ServedPolicy.of("orders", 1001);
        policy.put(guarded("open", "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"cHVibGlj\"}]}"));
        policy.put(guarded("secret", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"));
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(policy.script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            await().until(() -> state(under, "Listener", "secret") == State.ACKED && state(under, "Listener", "open") == State.ACKED);
            for (byte[] shown : List.of(under.client.clientStatus(EVERYTHING).get(10, TimeUnit.SECONDS),
                    under.client.configDump().toCompletableFuture().get(10, TimeUnit.SECONDS))) {
                assertThat(new String(shown, StandardCharsets.ISO_8859_1)).contains("cHVibGlj").doesNotContain("c2VjcmV0");
            }
        }
    }

    private static Listener guarded(String name, String jwks) {
        JwtAuthentication jwt = JwtAuthentication.newBuilder()
                .putProviders("us", JwtProvider.newBuilder().setLocalJwks(DataSource.newBuilder().setInlineString(jwks)).build())
                .build();
        Listener listener = listener(name, "routes");
        HttpConnectionManager manager;
        try {
            manager = HttpConnectionManager.parseFrom(listener.getFilterChains(0).getFilters(0).getTypedConfig().getValue());
        } catch (InvalidProtocolBufferException impossible) {
            throw new AssertionError(impossible);
        }
        HttpFilter first = HttpFilter.newBuilder().setName("jwt").setTypedConfig(any(jwt)).build();
        FilterChain chain = listener.getFilterChains(0).toBuilder()
                .setFilters(0, listener.getFilterChains(0).getFilters(0).toBuilder()
                        .setTypedConfig(any(manager.toBuilder().addHttpFilters(0, first).build())))
                .build();
        return listener.toBuilder().setFilterChains(0, chain).build();
    }

    @Test
    void whatIsNoRequestIsTheAskersFault() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(ServedPolicy.of("orders", 1001).script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            for (byte[] wrong : List.of(new byte[] {(byte) 0xff}, new byte[] {1 << 3 | 2, 0}, new byte[] {2 << 3 | 2, 100})) {
                assertThatThrownBy(() -> under.client.clientStatus(wrong).get(10, TimeUnit.SECONDS))
                        .isInstanceOf(ExecutionException.class).hasCauseInstanceOf(IllegalArgumentException.class);
            }
            under.client.close();
            assertThatThrownBy(() -> under.client.clientStatus().get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(IllegalStateException.class);
        }
    }

    /** The fields of that number, which have a length. */
    private static List<byte[]> fields(byte[] message, int number) throws Exception {
        List<byte[]> found = new ArrayList<>();
        CodedInputStream in = CodedInputStream.newInstance(message);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) == number && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                found.add(in.readByteArray());
            } else {
                in.skipField(tag);
            }
        }
        return found;
    }
}
