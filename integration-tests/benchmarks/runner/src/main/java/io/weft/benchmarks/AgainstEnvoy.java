package io.weft.benchmarks;

import io.weft.benchmarks.Pair.Window;
import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/**
 * What mutual TLS between two apps adds by the agent over what it adds by two stock Envoys beside them: to the latency of a request, its CPU and
 * the memory. Three pairs of the same apps live side by side and take turns: in plaintext, with the agent, and with an Envoy each.
 *
 * <p>The client, java.net.http, spends more on a request in plaintext than over its own TLS: without the agent, too, as the
 * benchmarks overhead and tls show. What the agent adds can therefore be less than nothing.
 */
final class AgainstEnvoy implements Benchmark {
    private static final double BUDGET = 0.1;

    @Override
    public String name() {
        return "envoy";
    }

    @Override
    public String summary() {
        return "what mutual TLS adds to latency, CPU and memory by the agent, over what it adds by two stock Envoys; below 0: java.net.http spends less over TLS";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        List<Window> plain = new ArrayList<>();
        List<Window> mesh = new ArrayList<>();
        List<Window> proxied = new ArrayList<>();
        List<Double> memoryOfAgents = new ArrayList<>();
        List<Double> memoryOfEnvoys = new ArrayList<>();
        for (int round = 0; round < settings.rounds(5, 1); round++) {
            try (Testbed testbed = new Testbed()) {
                Pair direct = Pair.plain(testbed, settings, Apps.LEAN);
                Pair agents = Pair.overMeshTls(testbed, settings);
                Pair behind = Pair.plain(testbed, settings, Apps.LEAN);
                int inbound = Port.unused();
                Envoy server = envoy(testbed, inbound(inbound, port(behind)));
                int outbound = Port.unused();
                Envoy client = envoy(testbed, outbound(outbound, inbound));
                Pair envoys = new Pair(behind.client(), behind.server(), "http://127.0.0.1:" + outbound + "/orders/1");
                int count = settings.times(10_000, 1_000);
                for (int warmUp = 0; warmUp < settings.times(Pair.WARM_UP, 2); warmUp++) {
                    direct.send(count);
                    agents.send(count);
                    envoys.send(count);
                }
                List<Side> sides = new ArrayList<>(List.of(
                        () -> plain.add(direct.send(count)),
                        () -> mesh.add(agents.send(count)),
                        () -> proxied.add(send(envoys, count, client, server))));
                for (int turn = 0; turn < settings.times(6, 3); turn++) {
                    // Whoever comes after the slow one has been idle for longest, which costs it.
                    Collections.rotate(sides, 1);
                    for (Side side : sides) {
                        side.send();
                    }
                }
                memoryOfAgents.add((double) Resident.bytes(agents.client().pid(), agents.server().pid())
                        - Resident.bytes(direct.client().pid(), direct.server().pid()));
                memoryOfEnvoys.add((double) Resident.bytes(client.pid(), server.pid()));
            }
        }
        figures.accept(figure("p50", plain, mesh, proxied, Window::p50Micros));
        figures.accept(figure("p99", plain, mesh, proxied, Window::p99Micros));
        figures.accept(figure("cpu", plain, mesh, proxied, Window::cpuMicros));
        double agents = Distribution.of(memoryOfAgents).median();
        double envoys = Distribution.of(memoryOfEnvoys).median();
        // For the reader: the budget of the agent's memory is a figure of its own.
        figures.accept(new Figure(name() + "-memory", Distribution.round(agents / envoys, 3), "ratio", Double.MAX_VALUE, Map.of(
                "addedByAgentsMiB", Math.round(agents / (1 << 20)), "addedByEnvoysMiB", Math.round(envoys / (1 << 20)))));
    }

    private static Window send(Pair envoys, int count, Envoy client, Envoy server) {
        double before = Cpu.seconds(client.pid(), server.pid());
        Window window = envoys.send(count);
        double micros = (Cpu.seconds(client.pid(), server.pid()) - before) / count * 1e6;
        return new Window(window.clientMicros() + micros, window.serverMicros(), window.p50Micros(), window.p99Micros());
    }

    /** One of those that take turns. */
    private interface Side {
        void send();
    }

    private Figure figure(
            String what, List<Window> plain, List<Window> mesh, List<Window> proxied, ToDoubleFunction<Window> quantity) {
        double without = Window.median(plain, quantity);
        double agent = Window.median(mesh, quantity) - without;
        double envoys = Window.median(proxied, quantity) - without;
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("windows", plain.size());
        detail.put("microsWithout", Distribution.round(without, 1));
        detail.put("addedByAgents", Distribution.round(agent, 1));
        detail.put("addedByEnvoys", Distribution.round(envoys, 1));
        return new Figure(name() + "-" + what, Distribution.round(agent / envoys, 3), "ratio", BUDGET, detail);
    }

    private static int port(Pair pair) {
        return URI.create(pair.url()).getPort();
    }

    private static Envoy envoy(Testbed testbed, String bootstrap) throws IOException {
        return testbed.closeAfterwards(Envoy.start(EnvoyBinary.find(), bootstrap, testbed.temporaryFolder()));
    }

    /** From a port in plaintext to mutual TLS. */
    private static String outbound(int port, int target) {
        return bootstrap(port, "", target, """
                    transport_socket:
                      name: tls
                      typed_config:
                        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                        sni: orders
                        common_tls_context:
                """ + own(Pair.SHOP, "spiffe://mesh/orders"));
    }

    /** From a port with mutual TLS to the app. */
    private static String inbound(int port, int target) {
        return bootstrap(port, """
                    transport_socket:
                      name: tls
                      typed_config:
                        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
                        require_client_certificate: true
                        common_tls_context:
                """.indent(2) + own(Pair.ORDERS, "spiffe://mesh/shop").indent(2), target, "");
    }

    private static String own(Certified certified, String peer) {
        return """
                          tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: TLSv1_3}
                          tls_certificates:
                          - certificate_chain: {inline_string: "%s"}
                            private_key: {inline_string: "%s"}
                          validation_context:
                            trusted_ca: {inline_string: "%s"}
                            match_typed_subject_alt_names: [{san_type: URI, matcher: {exact: "%s"}}]
                """.formatted(line(certified.certificatePem()), line(certified.keyPem()), line(Certified.pem(Pair.MESH.certificate())), peer);
    }

    private static String line(String pem) {
        return pem.replace("\n", "\\n");
    }

    private static String bootstrap(int port, String downstream, int target, String upstream) {
        return """
                static_resources:
                  listeners:
                  - name: in
                    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
                    filter_chains:
                    - filters:
                      - name: http
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                          stat_prefix: in
                          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: out}}]}]}
                          http_filters:
                          - name: router
                            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                %s  clusters:
                  - name: out
                    type: STATIC
                    connect_timeout: 20s
                    load_assignment:
                      cluster_name: out
                      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
                %s""".formatted(port, downstream, target, upstream);
    }
}
