package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.Self;
import io.weft.dataplane.Timers;
import io.weft.policy.Health;
import io.weft.policy.Node;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;

class InstanceDescriptionTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private static final Timers NO_TIMERS = (delay, task) -> {
        throw new AssertionError("nothing here has a time limit");
    };

    private final InboundPorts ports = DataPlane.start(Duration.ZERO, NO_TIMERS, (where, fault) -> {
            throw new AssertionError(where, fault);
        }, Self.UNKNOWN).inbound();

    @Test
    void serviceWithAPort() throws Exception {
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);

        Node node = node("service=orders,mesh=shop,zone=east,tags=version=v1,team=\"a\\b\"", address("10.1.2.3"));

        assertThat(node.id()).isEqualTo("shop.orders-1a2b3c4d");
        assertThat(node.cluster()).isEqualTo("orders");
        assertThat(node.locality().zone()).isEqualTo("east");
        assertThat(node.metadata()).isEqualTo(Map.of("weft.version", AgentVersion.get(), "weft.pid", ProcessHandle.current().pid(),
                "dataplane.proxyType", "dataplane", "dataplane.resource",
                "{\"type\":\"Dataplane\",\"mesh\":\"shop\",\"name\":\"orders-1a2b3c4d\",\"networking\":{\"address\":\"10.1.2.3\",\"inbound\":["
                        + "{\"port\":8080,\"state\":\"Ready\",\"tags\":{\"kuma.io/service\":\"orders\",\"kuma.io/protocol\":\"http\","
                        + "\"kuma.io/zone\":\"east\",\"version\":\"v1\",\"team\":\"\\\"a\\\\b\\\"\"}}]}}"));
    }

    @Test
    void toKumaItHasATransparentProxyAndAWorkload() throws Exception {
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);
        String argument = "control-plane=grpcs://cp:5678,control-plane.kind=kuma,service=orders";

        Node node = node(argument, address("10.1.2.3"));

        assertThat(node.metadata()).containsEntry("dataplane.dns.port", "15053").containsEntry("ipv6Enabled", false)
                .hasEntrySatisfying("transparentProxy", proxy -> assertThat(proxy).asString().contains("ipFamilyMode=ipv4"))
                .hasEntrySatisfying("features", features -> assertThat(features).asString().contains("feature-embedded-dns"));
        assertThat(resource(argument, address("10.1.2.3"))).contains("\"labels\":{\"kuma.io/workload\":\"orders\"}");
        assertThat(resource(argument + ",tags=kuma.io/workload=w,version=v1", address("10.1.2.3")))
                .contains("\"labels\":{\"kuma.io/workload\":\"w\",\"version\":\"v1\"}",
                        "\"port\":8080,\"state\":\"Ready\",\"protocol\":\"http\",\"tags\":"
                                + "{\"kuma.io/service\":\"orders\",\"kuma.io/protocol\":\"http\",\"version\":\"v1\"}");
        assertThat(node.metadata().get("version")).asString().contains("kumaDp={version=weft-", "java=" + Runtime.version());
        assertThat(node(argument, address("fd00::1")).metadata()).containsEntry("ipv6Enabled", true)
                .hasEntrySatisfying("transparentProxy", proxy -> assertThat(proxy).asString().contains("ipFamilyMode=dualstack"));
    }

    /** Where labels go to a cluster's API, one that is none would keep all that is told with it from going. */
    @Test
    void whatIsATagAndNoLabelIsNone() throws Exception {
        String argument = "control-plane=grpcs://cp:5678,control-plane.kind=kuma,service=orders,tags=version=v1,at=12:30,build=" + "a".repeat(64);

        assertThat(resource(argument, address("10.1.2.3"))).contains("\"labels\":{\"kuma.io/workload\":\"orders\",\"version\":\"v1\"}",
                "\"at\":\"12:30\"");
    }

    @Test
    void whoStopsIsNotToBeCalledAnyMore() throws Exception {
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);
        InstanceDescription description = description("control-plane=grpcs://cp:5678,control-plane.kind=kuma,service=orders");
        assertThat(description.health()).isEmpty();

        ports.beginDrain();

        assertThat(description.health().flatMap(Health::problem)).isPresent();
        assertThat(description("service=orders").health()).as("says it by its ports").isEmpty();
    }

    @Test
    void pureClientHasNoPorts() throws Exception {
        assertThat(resource("service=batch", address("10.1.2.3"))).contains("\"inbound\":[]");
    }

    /** It reads who somebody is, and so what he is sent, from the tags of an inbound. */
    @Test
    void toKumaWhoHasNoPortHasTagsNevertheless() throws Exception {
        String argument = "control-plane=grpcs://cp:5678,control-plane.kind=kuma";

        assertThat(resource(argument + ",service=batch", address("10.1.2.3"))).contains("\"inbound\":[{\"port\":49151,\"state\":\"Ignored\","
                + "\"protocol\":\"tcp\",\"tags\":{\"kuma.io/service\":\"batch\",");
        assertThat(resource(argument, address("10.1.2.3"))).contains("\"inbound\":[{\"port\":49151", "\"kuma.io/service\":\"client\"")
                .doesNotContain("labels");

        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);
        assertThat(resource(argument + ",service=batch", address("10.1.2.3"))).contains("\"port\":8080").doesNotContain("49151");
    }

    @Test
    void whoseNameIsTakenHasAnother() throws Exception {
        InstanceDescription description = description("control-plane=grpcs://cp:5678,control-plane.kind=kuma,service=batch");

        assertThat(description.at(LOOPBACK).id()).isEqualTo("default.batch-1a2b3c4d").isEqualTo(description.registered());
        description.nameTaken();
        assertThat(description.at(LOOPBACK).id()).isEqualTo("default.batch-1a2b3c4d-1").isEqualTo(description.registered());
        assertThat(description.name()).as("to metrics").isEqualTo("default.batch-1a2b3c4d");
        assertThat(description.at(LOOPBACK).id()).isEqualTo("default.batch-1a2b3c4d-1");
    }

    @Test
    void withoutAServiceNothingIsRegistered() throws Exception {
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);

        Node node = node("mesh=default", address("10.1.2.3"));

        assertThat(node.cluster()).isEqualTo("client");
        assertThat((String) node.metadata().get("dataplane.resource")).contains("\"inbound\":[]");
    }

    @Test
    void drainingPortIsNotReadyAndAClosedOneIsGone() throws Exception {
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);
        Inbound.Port closed = ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 9090), false);
        ports.beginDrain();
        closed.close();

        assertThat(resource("service=orders", address("10.1.2.3"))).contains("\"port\":8080,\"state\":\"NotReady\"")
                .doesNotContain("9090");
    }

    @Test
    void portsThatOthersCannotUseAreLeftOut() throws Exception {
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8443), true);
        ports.opened("tomcat", new InetSocketAddress(LOOPBACK, 8081), false);
        ports.opened("tomcat", new InetSocketAddress("0.0.0.0", 8080), false);

        assertThat(resource("service=orders", address("10.1.2.3"))).contains("\"port\":8080").doesNotContain("8443", "8081");
        // one machine, as in the demo
        assertThat(resource("service=orders", LOOPBACK)).contains("\"port\":8080", "\"port\":8081");
        // an operator who names the address has seen to it
        assertThat(resource("service=orders,address=10.9.9.9", address("10.1.2.3"))).contains("\"port\":8081", "\"10.9.9.9\"");
        assertThat(resource("service=orders,ports=8081", LOOPBACK)).contains("\"port\":8081").doesNotContain("8080");
    }

    @Test
    void addressHasNoScope() throws Exception {
        InetAddress scoped = Inet6Address.getByAddress(null, address("fe80::1").getAddress(), 3);

        assertThat(resource("service=orders", scoped)).contains("\"address\":\"fe80:0:0:0:0:0:0:1\"");
    }

    private static InetAddress address(String literal) throws Exception {
        return InetAddress.getByName(literal);
    }

    private String resource(String argument, InetAddress local) {
        return (String) node(argument, local).metadata().get("dataplane.resource");
    }

    private Node node(String argument, InetAddress local) {
        return description(argument).at(local);
    }

    private InstanceDescription description(String argument) {
        SettingsReader.Outcome outcome = SettingsReader.read(new Properties(), Map.of(), argument, Set.of());
        assertThat(outcome).isInstanceOf(SettingsReader.Valid.class);
        Settings settings = ((SettingsReader.Valid) outcome).settings();
        return new InstanceDescription(settings, new ServicePorts(settings, true), ports, "1a2b3c4d");
    }
}
