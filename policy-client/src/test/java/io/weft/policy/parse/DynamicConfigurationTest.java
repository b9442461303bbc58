package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.NameTable;
import io.weft.policy.model.NameTable.Host;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.Pipe;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What kuma-cp says by a listener on a socket. */
class DynamicConfigurationTest {
    private static final String BODY = "filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1].direct_response.body";
    private static final String NAMES = """
            {"records": [{"name": "Orders.svc.mesh.local", "ips": ["241.0.0.1", "fd00::1"]}, {"name": "billing.mesh", "ips": []}],
             "ttl": 30, "extraLabels": {"mesh": "default"}}""";

    private static Route route(String path, String body) {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPath(path))
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(200).setBody(inline(body))).build();
    }

    private static Route unchanged(String path) {
        return Route.newBuilder().setMatch(RouteMatch.newBuilder().setPath(path).addHeaders(HeaderMatcher.newBuilder().setName("If-None-Match")))
                .setDirectResponse(DirectResponseAction.newBuilder().setStatus(304)).build();
    }

    private static Listener listener(String name, Route... routes) {
        return withManager(manager -> manager.setRouteConfig(RouteConfiguration.newBuilder().setName(name)
                        .addVirtualHosts(VirtualHost.newBuilder().setName(name).addDomains("*").addAllRoutes(List.of(routes)))))
                .toBuilder().setName(name).setAddress(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/tmp/s"))).build();
    }

    private static NameTable names(Listener listener) {
        return ((io.weft.policy.model.Listener) ((Accepted) parse(listener)).resource()).names();
    }

    private static List<String> reported(Listener listener) {
        return ((Accepted) parse(listener)).unhonoured().stream().map(Unhonoured::path).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"_kuma:dynamicconfig", "system_dynamicconfig"})
    void namesOfServices(String name) {
        Listener listener = listener(name, unchanged("/dns"), route("/dns", NAMES));
        assertThat(names(listener)).isEqualTo(new NameTable(Map.of(
                "orders.svc.mesh.local", new Host(List.of("241.0.0.1", "fd00::1"), Optional.empty()),
                "billing.mesh", new Host(List.of(), Optional.empty()))));
        assertThat(reported(listener)).isEmpty();
    }

    @Test
    void whatElseItSaysIsReported() {
        Listener listener = listener("_kuma:dynamicconfig", unchanged("/meshmetric"), route("/meshmetric", "{}"));
        assertThat(names(listener)).isEqualTo(NameTable.EMPTY);
        assertThat(reported(listener)).containsExactly(
                "filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1] (/meshmetric)");
    }

    @Test
    void anotherListenerOnASocketSaysNothing() {
        Listener listener = listener("other", route("/dns", NAMES));
        assertThat(names(listener)).isEqualTo(NameTable.EMPTY);
        assertThat(reported(listener)).contains("address.pipe");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[]|is no JSON object",
        "{\"records\": [1]}|records: must hold objects",
        "{\"records\": [{\"ips\": [\"241.0.0.1\"]}]}|records: one has no name",
        "{\"records\": [{|is not the JSON of /dns",
    })
    void whatIsNoTableIsRefused(String body, String reason) {
        assertThat(parse(listener("_kuma:dynamicconfig", unchanged("/dns"), route("/dns", body)))).isInstanceOfSatisfying(
                Refused.class, refused -> {
                    assertThat(refused.path()).isEqualTo(BODY);
                    assertThat(refused.reason()).startsWith(reason);
                });
    }
}
