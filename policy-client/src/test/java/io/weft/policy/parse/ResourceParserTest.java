package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.Resource;
import io.weft.policy.proto.protobuf.Any;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResourceParserTest {

    @Test
    void resourcesOfAStateOfTheWorldResponseBareAndWrapped() {
        DiscoveryResponse response = DiscoveryResponse.newBuilder()
                .setVersionInfo("7")
                .addResources(any(cluster(c -> c.setName("a"))))
                .addResources(any(Resource.newBuilder()
                        .setName("b")
                        .setVersion("8")
                        .setResource(any(cluster(c -> c.setName("b"))))
                        .build()))
                .addResources(any(cluster(c -> c.setName("bad").setLbPolicy(LbPolicy.CLUSTER_PROVIDED))))
                .addResources(any(cluster(c -> c.setName("a"))))
                .addResources(any(assignment(e -> {})))
                .addResources(any(cluster(c -> {})).toBuilder().setValue(ByteString.copyFromUtf8("\n")))
                .build();

        List<ParseOutcome> outcomes = ResourceParser.parse(ResourceType.CLUSTER, response);

        assertThat(outcomes).hasSize(6);
        assertThat(outcomes.get(0)).isInstanceOfSatisfying(Accepted.class, it -> {
            assertThat(it.name()).isEqualTo("a");
            assertThat(it.raw().version()).isEqualTo("7");
        });
        assertThat(outcomes.get(1)).isInstanceOfSatisfying(Accepted.class, it -> {
            assertThat(it.name()).isEqualTo("b");
            assertThat(it.raw().version()).isEqualTo("8");
        });
        assertThat(messages(outcomes.subList(2, 6))).satisfiesExactly(
                message -> assertThat(message).startsWith("Cluster 'bad': lb_policy: CLUSTER_PROVIDED"),
                message -> assertThat(message).startsWith("Cluster 'a': occurs twice"),
                message -> assertThat(message).startsWith("Cluster: has the type 'type.googleapis.com/envoy.config.endpoint"),
                message -> assertThat(message).startsWith("Cluster: is not a valid Cluster: "));
    }

    @Test
    void resourcesOfADeltaResponse() {
        DeltaDiscoveryResponse response = DeltaDiscoveryResponse.newBuilder()
                .addResources(Resource.newBuilder().setName("a").setVersion("1").setResource(any(cluster(c -> c.setName("a")))))
                .addResources(Resource.newBuilder().setName("heartbeat"))
                .addResources(Resource.newBuilder().setName("b").setResource(any(cluster(c -> c.setName("c")))))
                .addResources(Resource.newBuilder().setName("d").setResource(
                        any(cluster(c -> {})).toBuilder().setValue(ByteString.copyFromUtf8("\n"))))
                .build();

        List<ParseOutcome> outcomes = ResourceParser.parse(ResourceType.CLUSTER, response);

        assertThat(outcomes).extracting(ParseOutcome::name).containsExactly("a", "b", "d");
        assertThat(messages(outcomes.subList(1, 3))).satisfiesExactly(
                message -> assertThat(message).startsWith("Cluster 'b': name: is 'c', but the response calls the resource 'b'"),
                message -> assertThat(message).startsWith("Cluster 'd': is not a valid Cluster: "));
    }

    @Test
    void whatTheCacheKept() {
        ByteString bytes = cluster(c -> {}).toByteString();
        assertThat(ResourceParser.parse(new RawResource(ResourceType.CLUSTER, "orders", "3", bytes)))
                .isInstanceOfSatisfying(Accepted.class,
                        it -> assertThat(it.raw()).isEqualTo(new RawResource(ResourceType.CLUSTER, "orders", "3", bytes)));
        assertThat(ResourceParser.parse(new RawResource(ResourceType.CLUSTER, "other", "3", bytes)))
                .isInstanceOf(Refused.class);
    }

    private static List<String> messages(List<ParseOutcome> outcomes) {
        return outcomes.stream().map(outcome -> ((Refused) outcome).message()).toList();
    }

    private static MessageLite sample(ResourceType type) {
        switch (type) {
            case CLUSTER:
                return staticCluster(e -> {});
            case ENDPOINTS:
                return assignment(e -> {});
            case LISTENER:
                return withManager(m -> m.setRouteConfig(weighted(w -> {})));
            default:
                return weighted(w -> {}).toBuilder().addRequestHeadersToAdd(header("a", "b")).build();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(60)
    void truncatedBytesAreRefusedOrUnderstood(ResourceType type) {
        ByteString whole = sample(type).toByteString();
        for (int length = 0; length < whole.size(); length++) {
            assertThat(parseBytes(type, whole.substring(0, length))).isNotNull();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(60)
    void flippedAndRandomBytesAreRefusedOrUnderstood(ResourceType type) {
        Random random = new Random(20261123);
        byte[] whole = sample(type).toByteArray();
        for (int i = 0; i < 3000; i++) {
            byte[] bytes = whole.clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            assertThat(parseBytes(type, ByteString.copyFrom(bytes))).isNotNull();

            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            assertThat(parseBytes(type, ByteString.copyFrom(noise))).isNotNull();
        }
    }

    @Test
    @Timeout(60)
    void messagesNestedWithoutEndAreRefused() {
        // virtual_hosts.matcher.on_no_match.matcher… a hundred times deeper than protobuf's limit
        ByteString nested = ByteString.EMPTY;
        for (int i = 0; i < 10_000; i++) {
            nested = lengthDelimited(2, lengthDelimited(1, lengthDelimited(3, nested)));
        }
        ByteString routes = lengthDelimited(2, lengthDelimited(21, nested));

        assertThat(parseBytes(ResourceType.ROUTES, routes)).isInstanceOf(Refused.class);
    }

    private static ByteString lengthDelimited(int field, ByteString value) {
        return varint(field << 3 | 2).concat(varint(value.size())).concat(value);
    }

    private static ByteString varint(int value) {
        byte[] bytes = new byte[5];
        int size = 0;
        for (int rest = value; ; rest >>>= 7) {
            bytes[size++] = (byte) (rest > 0x7f ? rest & 0x7f | 0x80 : rest);
            if (rest <= 0x7f) {
                return ByteString.copyFrom(bytes, 0, size);
            }
        }
    }

    private static ParseOutcome parseBytes(ResourceType type, ByteString bytes) {
        return ResourceParser.parse(new RawResource(type, "", "1", bytes));
    }

    @Test
    @Timeout(60)
    void tenThousandResources() {
        DiscoveryResponse.Builder response = DiscoveryResponse.newBuilder().setVersionInfo("1");
        for (int i = 0; i < 10_000; i++) {
            String name = "cluster-" + i;
            response.addResources(any(cluster(c -> c.setName(name))));
        }
        List<Any> resources = new ArrayList<>(response.getResourcesList());

        List<ParseOutcome> outcomes = ResourceParser.parse(ResourceType.CLUSTER, response.build());

        assertThat(outcomes).hasSameSizeAs(resources).allMatch(outcome -> outcome instanceof Accepted);
    }
}
