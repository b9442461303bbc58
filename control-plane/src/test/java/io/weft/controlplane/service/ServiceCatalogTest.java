package io.weft.controlplane.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.MeshHttpRoute;
import io.weft.controlplane.policy.MeshService;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ServiceType;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ServiceCatalogTest {

    private static final String TWO_PORTS = """
            ---
            type: Dataplane
            name: web-1
            labels: {app: web}
            networking:
              address: 10.0.0.1
              inbound:
              - {port: 8080, name: main, tags: {kuma.io/service: web, version: v1}}
              - {port: 9090, name: admin, tags: {kuma.io/service: web-admin}}
            """;

    private static String dataplane(String name, String address, int port, String tags) {
        return """
                ---
                type: Dataplane
                name: %s
                networking: {address: %s, inbound: [{port: %d, tags: {%s}}]}
                """.formatted(name, address, port, tags);
    }

    private static ServiceCatalog catalog(String dataplanes, String services, String routes) {
        return ServiceCatalog.build(
                "default",
                Policies.read(Dataplane.class, dataplanes).stream()
                        .map(dataplane -> Instance.inPlaintext(dataplane, Health.HEALTHY))
                        .toList(),
                Policies.read(MeshService.class, services),
                Policies.read(MeshHttpRoute.class, routes),
                MeshSecurity.NONE);
    }

    private static Service service(ServiceCatalog catalog, String name) {
        return catalog.all().stream().filter(service -> service.name().equals(name)).findFirst().orElseThrow();
    }

    private static List<String> addresses(Service.Port port) {
        return addresses(port.instances());
    }

    private static List<String> addresses(List<Service.Instance> instances) {
        return instances.stream().map(instance -> instance.address() + ":" + instance.port()).toList();
    }

    private static MeshHttpRoute.BackendRef ref(String name, OptionalInt port, Map<String, String> tags) {
        return new MeshHttpRoute.BackendRef(ServiceType.MESH_SERVICE, Optional.of(name), "", Map.of(), Optional.empty(), port, tags, 1);
    }

    @Test
    void everyTagMakesAServiceOnPort80() {
        ServiceCatalog catalog = catalog(TWO_PORTS + dataplane("web-2", "10.0.0.2", 8081, "kuma.io/service: web"), "", "");
        assertThat(catalog.all()).extracting(Service::name).containsExactly("web", "web-admin");
        Service web = service(catalog, "web");
        assertThat(web.declared()).isFalse();
        assertThat(web.ports()).singleElement().satisfies(port -> {
            assertThat(port.number()).isEqualTo(80);
            assertThat(port.protocol()).isEqualTo(Protocol.HTTP);
            assertThat(addresses(port)).containsExactly("10.0.0.1:8080", "10.0.0.2:8081");
        });
    }

    @Test
    void protocolsOfInstancesMakeThatOfTheService() {
        String http2 = "kuma.io/service: web, kuma.io/protocol: http2";
        String http = "kuma.io/service: web, kuma.io/protocol: http";
        String tcp = "kuma.io/service: web, kuma.io/protocol: tcp";
        assertThat(protocol(http2, http2)).isEqualTo(Protocol.HTTP2);
        assertThat(protocol(http2, http)).isEqualTo(Protocol.HTTP);
        assertThat(protocol(http, tcp)).isEqualTo(Protocol.TCP);
    }

    private static Protocol protocol(String one, String two) {
        return service(catalog(dataplane("a", "10.0.0.1", 1, one) + dataplane("b", "10.0.0.2", 1, two), "", ""), "web")
                .ports().get(0).protocol();
    }

    @Test
    void aMeshServiceTakesThePlaceOfTheTagsAndSaysThePorts() {
        ServiceCatalog catalog = catalog(TWO_PORTS, """
                type: MeshService
                name: web
                spec:
                  selector: {dataplaneLabels: {matchLabels: {app: web}}}
                  ports:
                  - {port: 8000, name: main, targetPort: 8080}
                  - {port: 8001, targetPort: admin, appProtocol: grpc}
                  - {port: 9090}
                  - {port: 7, targetPort: 7}
                """, "");
        Service web = service(catalog, "web");
        assertThat(web.declared()).isTrue();
        assertThat(web.ports()).extracting(Service.Port::number).containsExactly(8000, 8001, 9090, 7);
        assertThat(web.ports()).extracting(ServiceCatalogTest::addresses).containsExactly(
                List.of("10.0.0.1:8080"), List.of("10.0.0.1:9090"), List.of("10.0.0.1:9090"), List.of());
        assertThat(web.ports().get(1).protocol()).isEqualTo(Protocol.GRPC);
    }

    @Test
    void withoutATargetPortAnEphemeralPortIsFound() {
        ServiceCatalog catalog = catalog(
                dataplane("a", "10.0.0.1", 41234, "kuma.io/service: web") + dataplane("b", "10.0.0.2", 9, "kuma.io/service: b"),
                "{type: MeshService, name: web, spec: {selector: {dataplaneTags: {kuma.io/service: web}},"
                        + " ports: [{port: 8080}]}}",
                "");
        assertThat(addresses(service(catalog, "web").ports().get(0))).containsExactly("10.0.0.1:41234");
    }

    @Test
    void selectionByTheNameOfADataplane() {
        ServiceCatalog catalog = catalog(TWO_PORTS, "{type: MeshService, name: one, spec: {selector:"
                + " {dataplaneRef: {name: web-1}}, ports: [{port: 8080}]}}", "");
        assertThat(addresses(service(catalog, "one").ports().get(0))).containsExactly("10.0.0.1:8080");
    }

    @Test
    void oneThatIsNotReadyIsKnownButGetsNothing() {
        ServiceCatalog catalog = catalog(
                TWO_PORTS.replace("name: main,", "name: main, state: NotReady,").replace("name: admin,", "health: {ready: false},"),
                "", "");
        assertThat(catalog.all()).extracting(Service::name).containsExactly("web", "web-admin");
        assertThat(catalog.all()).allSatisfy(service -> assertThat(service.ports().get(0).instances()).isEmpty());
    }

    @Test
    void aServiceThatOnlyARouteNamesIsEmpty() {
        ServiceCatalog catalog = catalog("", "", """
                type: MeshHTTPRoute
                name: r
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: a}
                    rules:
                    - matches: [{method: GET}]
                      default:
                        filters: [{type: RequestMirror, requestMirror: {backendRef: {kind: MeshService, name: c}}}]
                        backendRefs: [{kind: MeshService, name: b}]
                """);
        assertThat(catalog.all()).extracting(Service::name).containsExactly("a", "b", "c");
        assertThat(catalog.all()).allSatisfy(service -> assertThat(service.ports().get(0).instances()).isEmpty());
    }

    @Test
    void referencesAreResolved() {
        ServiceCatalog catalog = catalog(
                TWO_PORTS + dataplane("b", "10.0.0.9", 9, "kuma.io/service: auto"),
                """
                type: MeshService
                name: web
                labels: {team: shop}
                spec: {selector: {dataplaneTags: {kuma.io/service: web}}, ports: [{port: 80, targetPort: 8080, name: main}]}
                """, "");
        assertThat(catalog.resolve(ref("web", OptionalInt.empty(), Map.of()))).isPresent();
        assertThat(catalog.resolve(ref("web", OptionalInt.of(80), Map.of()))).isPresent();
        assertThat(catalog.resolve(ref("web", OptionalInt.of(81), Map.of()))).isEmpty();
        assertThat(catalog.resolve(ref("none", OptionalInt.of(80), Map.of()))).isEmpty();
        // Nothing declares the ports of this one.
        assertThat(catalog.resolve(ref("auto", OptionalInt.of(8080), Map.of()))).isPresent();
        assertThat(catalog.resolve(new MeshHttpRoute.BackendRef(
                ServiceType.MESH_SERVICE, Optional.empty(), "", Map.of("team", "shop"), Optional.of("main"), OptionalInt.empty(), Map.of(), 1))).isPresent();
        assertThat(addresses(catalog.resolve(ref("web", OptionalInt.empty(), Map.of("version", "v1")))
                .orElseThrow().instances())).containsExactly("10.0.0.1:8080");
        assertThat(catalog.resolve(ref("web", OptionalInt.empty(), Map.of("version", "v2")))
                .orElseThrow().instances()).isEmpty();
    }

    @Test
    void oneAddressIsOneInstanceAndTheHealthyOneCounts() {
        List<Dataplane> dataplanes = Policies.read(Dataplane.class,
                dataplane("old", "10.0.0.1", 80, "kuma.io/service: a") + dataplane("new", "10.0.0.1", 80, "kuma.io/service: a"));
        ServiceCatalog catalog = ServiceCatalog.build("default",
                List.of(
                        Instance.inPlaintext(dataplanes.get(0), Health.UNHEALTHY),
                        Instance.inPlaintext(dataplanes.get(1), Health.HEALTHY)),
                List.of(), List.of(), MeshSecurity.NONE);
        assertThat(service(catalog, "a").ports().get(0).instances()).singleElement()
                .satisfies(instance -> assertThat(instance.health()).isEqualTo(Health.HEALTHY));
    }
}
