package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.ParentReference;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatusBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Several who write the status of one route at once, each a controller with parents of its own or a replica of ours. */
class RouteStatusWriterTest {

    private static final ParentReference ORDERS = parent("orders");

    private MockCluster cluster;
    /** What happens between the look at a route and the write: the time is asked for there. */
    private Runnable meanwhile = () -> {};

    private final Clock clock = new Clock() {
        @Override
        public Instant instant() {
            meanwhile.run();
            return Instant.parse("2026-01-01T00:00:00Z");
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    };

    @BeforeEach
    void aRoute() throws IOException {
        cluster = new MockCluster();
        cluster.apply("""
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: canary, namespace: shop}
                spec: {parentRefs: [{group: "", kind: Service, name: orders}]}
                """);
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private static ParentReference parent(String name) {
        ParentReference parent = new ParentReference();
        parent.setGroup("");
        parent.setKind("Service");
        parent.setName(name);
        return parent;
    }

    private HTTPRoute route() {
        return cluster.client().resources(HTTPRoute.class).inNamespace("shop").withName("canary").get();
    }

    private static RouteStatus accepted(HTTPRoute route) {
        return new RouteStatus(route, List.of(new RouteStatus.Parent(ORDERS, Optional.empty())), Optional.empty(), Optional.empty());
    }

    private List<String> controllers() {
        return RouteStatus.said(route()).stream().map(RouteParentStatus::getControllerName).toList();
    }

    /** In the middle of our write, which is the one after the look whether there is anything to write. */
    private void anotherControllerWrites(String... names) {
        List<String> left = new ArrayList<>(List.of(names));
        List<Integer> asked = new ArrayList<>();
        meanwhile = () -> {
            asked.add(1);
            if (asked.size() > 1 && !left.isEmpty()) {
                HTTPRoute route = route();
                List<RouteParentStatus> said = new ArrayList<>(RouteStatus.said(route));
                said.add(new RouteParentStatusBuilder().withControllerName(left.remove(0)).withParentRef(parent("edge")).build());
                RouteStatus.say(route, said);
                cluster.client().resource(route).updateStatus();
            }
        };
    }

    @Test
    void whatAnotherControllerWritesAtTheSameTimeStaysAndOursIsWrittenToo() {
        anotherControllerWrites("example.com/one", "example.com/two");
        new RouteStatusWriter(cluster.client(), Runnable::run, clock).settle(List.of(accepted(route())));
        assertThat(controllers()).containsExactly("example.com/one", "example.com/two", RouteStatus.CONTROLLER);
    }

    @Test
    void whatIsKnownOfAFormerVersionIsNotSaidOfTheLaterOne() {
        HTTPRoute former = route();
        former.getMetadata().setGeneration(former.getMetadata().getGeneration() == null ? 1 : former.getMetadata().getGeneration() + 1);
        new RouteStatusWriter(cluster.client(), Runnable::run, clock).settle(List.of(accepted(former)));
        assertThat(controllers()).isEmpty();
    }

    /** As when a route changes twice in quick succession. */
    @Test
    void whatIsToBeSaidLastIsSaidThoughAWriteIsUnderWay() {
        List<Runnable> tasks = new ArrayList<>();
        RouteStatusWriter writer = new RouteStatusWriter(cluster.client(), tasks::add, clock);
        writer.settle(List.of(accepted(route())));
        writer.settle(List.of(new RouteStatus(route(), List.of(new RouteStatus.Parent(ORDERS, Optional.empty())),
                Optional.of("spec.rules: is not supported"), Optional.empty())));
        tasks.forEach(Runnable::run);
        assertThat(RouteStatus.said(route()).get(0).getConditions().get(0).getReason()).isEqualTo("UnsupportedValue");
    }

    /** While the API server starts anew, for one. */
    @Test
    void whatCouldNotBeWrittenIsTriedAgain() throws IOException {
        HTTPRoute route = route();
        List<Runnable> tasks = new ArrayList<>();
        Executor executor = tasks::add;
        try (KubernetesClient nobodyThere = new KubernetesClientBuilder().withConfig(
                new ConfigBuilder().withMasterUrl("http://127.0.0.1:1/").withRequestRetryBackoffLimit(0).build()).build()) {
            RouteStatusWriter writer = new RouteStatusWriter(nobodyThere, executor, clock);
            writer.settle(List.of(accepted(route)));
            tasks.remove(0).run();
            assertThat(tasks).isEmpty();
            writer.retry();
            assertThat(tasks).hasSize(1);
        }
        assertThat(controllers()).isEmpty();
    }
}
