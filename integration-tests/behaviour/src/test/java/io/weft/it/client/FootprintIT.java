package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An app whose hosts no policy names has the threads and the library's objects that it has without the agent; the agent has few of its own. */
class FootprintIT {
    private static final int REQUESTS = 200;
    /** A constant of the library's that the agent asks for, and what a timer has taken away already. */
    private static final int TOLERANCE = 20;

    /** Of a class that is made while the app runs. */
    private static final Pattern MADE = Pattern.compile("0x[0-9a-f]+|(?<=\\$Proxy)\\d+");

    /** Of a thread, or of the object that it belongs to. */
    private static final Pattern NUMBER = Pattern.compile("@[0-9a-f]+|\\d+");

    private static final List<String> NOT_THE_LIBRARYS = List.of("[", "java.", "javax.", "jdk.", "sun.", "com.sun.", "io.weft.",
            // the agent's own
            "com.google.protobuf.", "org.objectweb.asm.");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream orders = testbed.upstream("orders");

    private record Footprint(Set<String> threads, int agentThreads, Map<String, Integer> objects) {}

    @ParameterizedTest
    @EnumSource(names = {
        "JAVA_NET_HTTP", "HTTP_URL_CONNECTION", "APACHE_HTTP_CLIENT_4_5", "APACHE_HTTP_ASYNC_CLIENT_4_1_5", "APACHE_HTTP_CLIENT_5_6", "APACHE_HTTP_ASYNC_CLIENT_5_6",
        "OK_HTTP_5", "REACTOR_NETTY_1_3", "JETTY_CLIENT_12", "ASYNC_HTTP_CLIENT_3_0", "VERTX_5", "HELIDON_4_5", "ARMERIA_1_40", "MICRONAUT_4_10"})
    void threadsAndObjectsAreTheSame(Client client) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("inventory", orders.address()));
        Footprint without = footprint(client.on(testbed.jvm(client + " without", Jdks.newest())).driver(client.driver));
        Footprint with = footprint(client.on(testbed.jvm(client + " with the agent", Jdks.newest())).mesh(policies.uri(), "shop").driver(client.driver));

        assertThat(with.threads).as("the app's threads, and one that it has now and then")
                .filteredOn(name -> !without.threads.contains(name)).hasSizeLessThanOrEqualTo(1);
        assertThat(with.agentThreads).as("the agent's threads").isPositive().isLessThan(10);
        assertThat(without.agentThreads).isZero();
        assertThat(differences(with.objects, without.objects)).as("the library's objects, of which %s requests leave none more", REQUESTS).isEmpty();
    }

    private static Map<String, String> differences(Map<String, Integer> with, Map<String, Integer> without) {
        Map<String, String> differences = new TreeMap<>();
        Stream.concat(with.keySet().stream(), without.keySet().stream()).distinct()
                .filter(type -> Math.abs(with.getOrDefault(type, 0) - without.getOrDefault(type, 0)) > TOLERANCE)
                .forEach(type -> differences.put(type, with.getOrDefault(type, 0) + " instead of " + without.getOrDefault(type, 0)));
        return differences;
    }

    private Footprint footprint(JvmProcess app) {
        String url = "http://127.0.0.1:" + orders.address().getPort() + "/";
        for (int i = 0; i < REQUESTS; i++) {
            assertThat(app.get(url).body()).isEqualTo("orders");
        }
        List<String> threads = List.of(app.ask(Map.of("threads", "")).get("names").split(","));
        Map<Boolean, List<String>> agents = threads.stream().collect(Collectors.partitioningBy(name -> name.startsWith("weft")));
        Set<String> apps = agents.get(false).stream().map(name -> NUMBER.matcher(name).replaceAll("")).collect(Collectors.toCollection(TreeSet::new));
        return new Footprint(apps, agents.get(true).size(), objects(app));
    }

    /** Reachable ones: a collection comes first. */
    private Map<String, Integer> objects(JvmProcess app) {
        JvmProcess histogram = testbed.jvm("histogram", Jdks.newest()).tool("jcmd", Long.toString(app.pid()), "GC.class_histogram");
        assertThat(histogram.awaitExit()).isZero();
        return histogram.stdout().stream()
                .map(line -> line.trim().split("\\s+"))
                .filter(columns -> columns.length > 3 && columns[0].endsWith(":") && NOT_THE_LIBRARYS.stream().noneMatch(columns[3]::startsWith))
                .collect(Collectors.toMap(
                        columns -> MADE.matcher(columns[3]).replaceAll(""), columns -> Integer.parseInt(columns[1]), Integer::sum, TreeMap::new));
    }
}
