package io.weft.it.server;

import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.weft.driver.ConcurrentClients;
import io.weft.driver.Form;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Every client with every server in every mode of mesh TLS: what goes over the wire, whom the app sees, and who else gets in. What came
 * out is printed as a table for each JDK.
 */
class TlsMatrixIT {
    private static final List<String> CLIENTS = List.of("java-net-http", "http-url-connection", "apache-httpclient5", "apache-httpclient4", "okhttp");
    private static final String CALLER = "/header/x-forwarded-client-cert";
    private static final String GET = "GET " + CALLER + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final int PATIENCE_MILLIS = 60_000;

    private static final Authority MESH = new Authority("mesh");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    private static final SSLContext MEMBER = SHOP.trusting(MESH);

    private enum Mode {
        PLAIN(Inbounds::plaintext, false, true),
        PERMISSIVE(Inbounds::permissive, true, true),
        STRICT(Inbounds::strict, true, false);

        final Function<Inbounds, Listener> listener;
        final boolean tls;
        final boolean plaintext;

        Mode(Function<Inbounds, Listener> listener, boolean tls, boolean plaintext) {
            this.listener = listener;
            this.tls = tls;
            this.plaintext = plaintext;
        }
    }

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Generations generations = testbed.closeAfterwards(new Generations());

    @EveryJdk
    void everyClientCallsEveryServer(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        Map<Server, Integer> ports = new EnumMap<>(Server.class);
        Map<Server, JvmProcess> servers = new EnumMap<>(Server.class);
        Server.on(jdk).forEach(server ->
                servers.put(server, server.start(small(testbed.jvm(server.toString(), jdk)).mesh(policies.uri(), "orders").unguarded(), "v1")));
        Clients clients = testbed.closeAfterwards(Clients.start(testbed, jdk, policies));
        servers.forEach((server, process) -> ports.put(server, process.awaitPort()));

        SoftAssertions soft = new SoftAssertions();
        StringBuilder table = new StringBuilder("Mesh TLS on " + jdk + ", by server: each client (what was on the wire), others\n");
        for (Mode mode : Mode.values()) {
            Map<String, Relay> wires = new HashMap<>();
            policies.serve(generations.next(policy(mode, ports, wires)));
            await().until(() -> generations.isNewest(clients.get(CLIENTS.get(0), Generations.URL).get("body")));
            for (Server server : servers.keySet()) {
                int port = ports.get(server);
                // A server that knows of no TLS may wait for the end of a line in it.
                await().until(() -> takesPlaintext(port) == mode.plaintext && (!mode.tls || takesTls(port)));
                table.append("%-10s %-16s".formatted(mode, server));
                for (String client : CLIENTS) {
                    String seen = seen(clients.get(client, "http://" + host(client, server) + CALLER), wires.get(host(client, server)));
                    table.append(" %s (%s)".formatted(client, seen));
                    soft.assertThat(seen).as("%s calls %s, %s", client, server, mode)
                            .isEqualTo(mode.tls ? "TLS, as spiffe://mesh/shop" : "plaintext, as nobody");
                }
                table.append(" others: %s%s\n".formatted(mode.plaintext ? "plaintext " : "", mode.tls ? "mesh TLS" : ""));
            }
        }
        System.out.print(table);
        soft.assertThat(policies.refusals()).isEmpty();
        soft.assertAll();
    }

    /** Little is done in each of these processes. */
    private static JvmCommand small(JvmCommand jvm) {
        return jvm.option("-Xmx128m").option("-XX:TieredStopAtLevel=1").option("-XX:+UseSerialGC");
    }

    private static String host(String client, Server server) {
        return client + "." + server.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** For all of them; each sees what is of its own. */
    private Policy policy(Mode mode, Map<Server, Integer> ports, Map<String, Relay> wires) {
        Policy policy = Policy.empty();
        for (Map.Entry<Server, Integer> server : ports.entrySet()) {
            policy = policy.listener(mode.listener.apply(Inbounds.of(server.getValue(), MESH, ORDERS)));
            for (String client : CLIENTS) {
                String host = host(client, server.getKey());
                Relay wire = testbed.closeAfterwards(Relay.to(server.getValue()));
                wires.put(host, wire);
                policy = policy.virtualHost(host, Routes.to(host)).cluster(host, cluster -> {
                    cluster.setConnectTimeout(Durations.fromSeconds(20));
                    if (mode.tls) {
                        cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, SHOP, "spiffe://mesh/orders"));
                    }
                }, new InetSocketAddress("127.0.0.1", wire.port()));
            }
        }
        return policy;
    }

    private static String seen(Map<String, String> answer, Relay wire) {
        if (!"200".equals(answer.get("status"))) {
            return answer.toString();
        }
        String caller = answer.get("body");
        String who = caller.equals("null") ? "nobody" : caller.replaceAll(".*URI=([^;]*).*", "$1");
        return (wire.isAllTls() ? "TLS" : "plaintext") + ", as " + who;
    }

    private static boolean takesTls(int port) {
        try {
            return text(TlsClient.ask(MEMBER, port, GET)).startsWith("HTTP/1.1 200");
        } catch (IOException refused) {
            return false;
        }
    }

    private static boolean takesPlaintext(int port) {
        try {
            return text(RawClient.ask(port, GET)).startsWith("HTTP/1.1 200");
        } catch (UncheckedIOException refused) {
            return false;
        }
    }

    private static String text(byte[] answer) {
        return new String(answer, StandardCharsets.ISO_8859_1);
    }

    /** All client libraries, in one process. */
    private record Clients(Socket link, BufferedReader answers) implements AutoCloseable {

        static Clients start(Testbed testbed, Jdk jdk, PolicyServer policies) throws IOException {
            try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                small(testbed.jvm("clients", jdk)).mesh(policies.uri(), "shop")
                        .classPath(Library.named("httpclient5-5.6"))
                        .classPath(Library.named("httpclient4-4.5"))
                        .classPath(Library.named("okhttp-5"))
                        .driver(ConcurrentClients.class, Integer.toString(listening.getLocalPort()));
                listening.setSoTimeout(PATIENCE_MILLIS);
                Socket link = listening.accept();
                link.setSoTimeout(PATIENCE_MILLIS);
                return new Clients(link, new BufferedReader(new InputStreamReader(link.getInputStream(), StandardCharsets.UTF_8)));
            }
        }

        Map<String, String> get(String client, String url) throws IOException {
            String call = Form.write(Map.of("id", url, "client", client, "method", "GET", "url", url, "headers", "", "body", ""));
            link.getOutputStream().write((call + "\n").getBytes(StandardCharsets.UTF_8));
            return Form.read(answers.readLine());
        }

        @Override
        public void close() throws IOException {
            link.close();
        }
    }
}
