package io.weft.agent.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.ServicePorts;
import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.Self;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UnguardedPortsTest {
    private static final String ELSEWHERE = "control-plane=grpc://192.0.2.1:5678,service=orders";
    private static final TransportSocket PLAINTEXT = new TransportSocket.Plaintext();
    private static final TransportSocket TLS = new TransportSocket.DownstreamTls(
            new TlsContext(
                    new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                    List.of(), Optional.of(new TlsContext.NamedCertificate("identity")), new TlsContext.NoValidation()),
            true);
    private static final HttpFilter NOBODY = new HttpFilter.AccessControl(
            new Rbac(Optional.of(new Rbac.Policies(Rbac.Action.ALLOW, List.of())), Optional.empty()));

    private final DataPlane dataPlane = DataPlane.start(Duration.ZERO, (nanos, task) -> () -> {}, (where, fault) -> {}, Self.UNKNOWN);
    private final InboundPorts inbound = dataPlane.inbound();
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final AgentLog log = AgentLog.to(AgentLog.Level.INFO, said);
    private final List<InetSocketAddress> bound = new ArrayList<>(List.of(new InetSocketAddress(8080), new InetSocketAddress(9090)));
    private boolean identified;
    private long now;

    private UnguardedPorts ports(String argument) {
        Settings settings = ((SettingsReader.Valid) SettingsReader.read(new Properties(), Map.of(), argument, Set.of())).settings();
        OpenPorts open = new OpenPorts(settings, new ServicePorts(settings, true), Set.of(), () -> identified, () -> bound);
        return new UnguardedPorts(open, inbound, new Background(log), () -> now, log);
    }

    private void policy(TransportSocket socket, HttpFilter... filters) {
        List<NamedFilter> named = new ArrayList<>();
        for (HttpFilter filter : filters) {
            named.add(new NamedFilter("filter", filter, false));
        }
        FilterChain chain = new FilterChain("", FilterChainMatch.ANY, socket, List.of(), new HttpConnectionManager(
                "inbound", new HttpConnectionManager.Inline(RouteConfiguration.named("inbound")), named, HttpConnectionManager.Edge.NONE,
                HttpConnectionManager.StreamLimits.NONE));
        Listener listener = new Listener("inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080), List.of(chain));
        dataPlane.apply(new PolicySnapshot(1, Map.of("inbound", listener), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of()));
    }

    private List<String> warnings() {
        return said.toString(StandardCharsets.UTF_8).lines().filter(line -> line.contains("is open to everyone")).toList();
    }

    private void after(Duration time, UnguardedPorts ports) {
        now += time.toNanos();
        ports.look();
    }

    private void soon(UnguardedPorts ports) {
        ports.look();
        after(Duration.ofSeconds(5), ports);
    }

    @Test
    void whatPolicyCannotHoldForIsSaidOnceForEachPort() {
        inbound.opened("tomcat", new InetSocketAddress(8080), false);
        policy(TLS);
        UnguardedPorts ports = ports(ELSEWHERE);
        ports.look();
        assertThat(warnings()).as("its server may be about to begin").isEmpty();
        after(Duration.ofSeconds(5), ports);
        assertThat(warnings()).singleElement().asString()
                .contains(" WARN port 9090 ", "although policy demands mesh TLS", "its server is none that Weft knows", "weft.ports");
        assertThat(inbound.unguarded()).isEqualTo(1);

        bound.add(new InetSocketAddress(9091));
        soon(ports);
        soon(ports);
        assertThat(warnings()).hasSize(2).last().asString().contains("port 9091 ");
        assertThat(inbound.unguarded()).isEqualTo(2);

        bound.subList(1, 3).clear();
        ports.look();
        assertThat(inbound.unguarded()).isZero();
    }

    @Test
    void soItIsWherePolicySaysWhoMayCall() {
        inbound.opened("tomcat", new InetSocketAddress(8080), false);
        policy(PLAINTEXT, NOBODY);
        soon(ports(ELSEWHERE));
        assertThat(warnings()).singleElement().asString().contains("port 9090 ");
    }

    @Test
    void wherePolicyLetsEveryoneInNothingIsSaid() {
        inbound.opened("tomcat", new InetSocketAddress(8080), false);
        policy(PLAINTEXT);
        soon(ports(ELSEWHERE));
        assertThat(warnings()).isEmpty();
        assertThat(inbound.unguarded()).isZero();
    }

    @Test
    void norOfWhatAnOperatorLeavesOutOrOthersDoNotReach() {
        inbound.opened("tomcat", new InetSocketAddress(8080), false);
        policy(TLS);
        soon(ports(ELSEWHERE + ",ports=8080"));
        bound.set(1, new InetSocketAddress("127.0.0.1", 9090));
        soon(ports(ELSEWHERE));
        assertThat(warnings()).isEmpty();
    }

    @Test
    void theAppsOwnTlsIsOneWayPast() {
        inbound.opened("tomcat", new InetSocketAddress(8080), false);
        inbound.opened("tomcat", new InetSocketAddress(9090), true);
        policy(TLS);
        soon(ports(ELSEWHERE));
        assertThat(warnings()).singleElement().asString().contains("port 9090 ", "the app's own TLS is on it");
    }

    /** Policy for what comes in is that of a port that is registered: here is none. */
    @Test
    void whoServesNowhereElseIsToldWhenTheAppHasHadTimeToStart() {
        identified = true;
        UnguardedPorts ports = ports(ELSEWHERE);
        soon(ports);
        assertThat(warnings()).isEmpty();
        after(Duration.ofMinutes(2), ports);
        assertThat(warnings()).hasSize(2).first().asString().contains("port 8080 ", "no port of it is registered");

        identified = false;
        UnguardedPorts without = ports(ELSEWHERE);
        soon(without);
        after(Duration.ofMinutes(2), without);
        assertThat(warnings()).as("of a mesh without identities").hasSize(2);
    }

    @Test
    void whatIsRequiredNeedsNoPolicy() {
        inbound.opened("tomcat", new InetSocketAddress(8080), false);
        soon(ports(ELSEWHERE + ",required=true"));
        assertThat(warnings()).singleElement().asString().contains("port 9090 ");
    }
}
