package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.identity.Authorities;
import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.PolicyHistory;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Transport;
import io.weft.controlplane.service.Service;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a pod is called that is to have an agent, and has none. */
class ClusterServicesTest {

    private static final String IDENTITY = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshIdentity
            metadata: {name: everyone, namespace: weft-system}
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;
    private static final String PERMISSIVE = """
            ---
            apiVersion: kuma.io/v1alpha1
            kind: MeshTLS
            metadata: {name: for-a-time, namespace: shop}
            spec: {rules: [{default: {mode: Permissive}}]}
            """;

    @TempDir
    private Path folder;

    private final FactReader reader = new FactReader("default");
    private final ClusterState state = new ClusterState();
    private final ClusterServices services = new ClusterServices(state);

    @BeforeEach
    void service() {
        state.put(reader.service(Serialization.unmarshal("""
                apiVersion: v1
                kind: Service
                metadata: {name: orders, namespace: shop}
                spec: {clusterIP: 10.96.0.7, ports: [{port: 80, protocol: TCP}]}
                """, io.fabric8.kubernetes.api.model.Service.class)));
        state.put(FactReader.slice(Serialization.unmarshal("""
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: orders-x, namespace: shop, labels: {kubernetes.io/service-name: orders}}
                addressType: IPv4
                ports: [{name: "", port: 8080, protocol: TCP}]
                endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, namespace: shop, name: orders-1}}]
                """, EndpointSlice.class)).orElseThrow());
        pod("", "");
    }

    private void pod(String labels, String annotations) {
        state.put(reader.pod(Serialization.unmarshal("""
                apiVersion: v1
                kind: Pod
                metadata: {name: orders-1, namespace: shop, uid: u, labels: {%s}, annotations: {%s}}
                spec: {serviceAccountName: orders, containers: []}
                status: {podIP: 10.0.0.1}
                """.formatted(labels, annotations), Pod.class)));
    }

    private void namespace(String labels) {
        Namespace namespace = Serialization.unmarshal(
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {" + labels + "}}\n", Namespace.class);
        state.putNamespace("shop", FactReader.joins(namespace));
    }

    private MeshSecurity security(String text) {
        var policies = new PolicyHistory(new ResourceParser(new ResourceParser.Cluster("weft-system", "default")))
                .update(List.of(new SourceText("p.yaml", Optional.of(text), Optional.empty())));
        assertThat(policies.problems()).isEmpty();
        return MeshSecurity.of("default", policies, new Authorities(mesh -> new RootFile(folder, mesh), Clock.systemUTC()),
                MeshSecurity.NONE, failure -> {
                    throw new AssertionError(failure);
                });
    }

    private Service.Instance instance(MeshSecurity security) {
        return services.of("default", security).iterator().next().ports().get(0).instances().get(0);
    }

    /** Fails closed: nobody calls it in plaintext, and should somebody insist, he does it by mesh TLS. */
    @Test
    void onePodWithoutAnAgentThatIsToHaveOneIsNotCalledWhereItsMeshIsStrict() {
        MeshSecurity strict = security(IDENTITY);
        assertThat(instance(strict)).matches(each -> each.health() == Health.HEALTHY && !each.meshTls());
        namespace("weft.io/inject: enabled");
        assertThat(instance(strict)).matches(each -> each.health() == Health.UNHEALTHY && each.meshTls());
        assertThat(instance(security(IDENTITY + PERMISSIVE))).matches(each -> each.health() == Health.HEALTHY && !each.meshTls());
        assertThat(instance(MeshSecurity.NONE)).matches(each -> each.health() == Health.HEALTHY && !each.meshTls());
        namespace("");
        assertThat(instance(strict)).matches(each -> each.health() == Health.HEALTHY && !each.meshTls());
        pod("weft.io/inject: enabled", "");
        assertThat(instance(strict)).matches(each -> each.health() == Health.UNHEALTHY && each.meshTls());
    }

    @Test
    void oneThatIsLeftOutIsCalledInPlaintext() {
        MeshSecurity strict = security(IDENTITY);
        namespace("weft.io/inject: enabled");
        for (String[] said : new String[][] {
            {"weft.io/inject: disabled", ""}, {"", "weft.io/inject: disabled"}, {"", "kubernetes.io/config.mirror: x"}
        }) {
            pod(said[0], said[1]);
            assertThat(instance(strict)).matches(each -> each.health() == Health.HEALTHY && !each.meshTls());
        }
    }

    /** Whichever replica it is connected to. */
    @Test
    void whatPeopleSeeIsTheClustersUnderNamesWithNamespaces() {
        MeshSecurity strict = security(IDENTITY);
        assertThat(services.instances("other", strict)).isEmpty();
        assertThat(services.instances("default", strict)).singleElement().satisfies(each -> {
            assertThat(each.dataplane().metadata().displayName()).isEqualTo("orders-1");
            assertThat(each.dataplane().inbounds().get(0).tags()).containsEntry("kuma.io/service", "shop/orders");
            assertThat(each.health()).isEqualTo(Health.HEALTHY);
            assertThat(each.transport(each.dataplane().inbounds().get(0))).isEqualTo(Transport.PLAINTEXT);
        });
        namespace("weft.io/inject: enabled");
        assertThat(services.instances("default", strict)).singleElement().satisfies(each -> {
            assertThat(each.health()).isEqualTo(Health.UNHEALTHY);
            assertThat(each.transport(each.dataplane().inbounds().get(0))).isEqualTo(Transport.UNREADY);
        });
    }

    @Test
    void oneThatTakesMeshTlsIsCalledSo() {
        MeshSecurity strict = security(IDENTITY);
        pod("", "weft.io/injected: init-container");
        assertThat(instance(strict)).matches(each -> each.health() == Health.UNHEALTHY && each.meshTls());
        state.put(reader.pod(Serialization.unmarshal("""
                apiVersion: v1
                kind: Pod
                metadata: {name: orders-1, namespace: shop, uid: u}
                spec: {serviceAccountName: orders, containers: []}
                status: {podIP: 10.0.0.1, conditions: [{type: weft.io/MeshTLS, status: "True"}]}
                """, Pod.class)));
        namespace("weft.io/inject: enabled");
        assertThat(instance(strict)).matches(each -> each.health() == Health.HEALTHY && each.meshTls());
    }
}
