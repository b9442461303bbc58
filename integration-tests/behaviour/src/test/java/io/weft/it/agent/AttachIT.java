package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A JVM that has used its libraries already gets the agent. */
class AttachIT {
    private static final Pattern TOMCAT_PORT = Pattern.compile("Tomcat started on port (\\d+)");
    private static final Duration COVERED = Duration.ofSeconds(3);
    private static final int OK = 200;
    /** The app's own word for a name that it does not find. */
    private static final int BAD_GATEWAY = 502;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void loadedClassesAreWoven(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        server.serve(Policy.empty().service("orders", orders.address()).virtualHost("orders", Routes.to("orders")));
        JvmProcess client = testbed.jvm("client", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);
        client.get("http://127.0.0.1:" + orders.address().getPort() + "/");
        client.getFailing("http://orders/");

        JvmProcess attach = attach(jdk, client, "control-plane=" + server.uri(), "service=batch", "startup-wait=60s");

        assertThat(attach.awaitExit()).as(attach::report).isZero();
        assertThat(attach.stdout()).singleElement().asString().contains(": started, control plane " + server.uri() + "; a port that is bound already is registered");
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("instruments java-net-http"));
    }

    @EveryJdk
    void refusalIsSaidToWhoAttachesAndMayBePutRight(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        JvmProcess client = testbed.jvm("client", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);
        client.getFailing("http://127.0.0.1:1/");

        JvmProcess refused = attach(jdk, client, "control-plane=nowhere");
        assertThat(refused.awaitExit()).isEqualTo(1);
        assertThat(refused.stderr()).singleElement().asString().contains("not started: invalid setting: agent argument control-plane");

        JvmProcess accepted = attach(jdk, client, "control-plane=" + server.uri());
        assertThat(accepted.awaitExit()).as(accepted::report).isZero();
        await().until(() -> server.streams() > 0);

        JvmProcess again = attach(jdk, client, "control-plane=" + server.uri());
        assertThat(again.awaitExit()).isEqualTo(1);
        assertThat(again.stderr()).singleElement().asString().contains("not started: the agent runs in it already");
    }

    @EveryJdk
    void processThatIsNoJvmSurvives(Jdk jdk) throws Exception {
        Process sleep = testbed.closeAfterwards(new Sleep()).process;

        JvmProcess attach = testbed.jvm("attach", jdk).jar(Build.agent(), "attach", Long.toString(sleep.pid()));

        assertThat(attach.awaitExit()).isEqualTo(1);
        assertThat(attach.stderr()).singleElement().asString().contains("cannot attach to " + sleep.pid() + ": it is no JVM");
        assertThat(sleep.isAlive()).isTrue();
    }

    /** Its port was bound before, and its connections are open: it calls through the mesh, and is called. */
    @EveryJdk
    void anAppUnderLoadJoinsWithoutAFailedRequest(Jdk jdk) throws Exception {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        testbed.jvm("orders", jdk).mesh(controlPlane.uri(), "orders").jar(Build.app("orders-v2"));
        JvmProcess storefront = testbed.jvm("storefront", jdk).option("-XX:+EnableDynamicAgentLoading").jar(Build.app("storefront"));
        Matcher port = TOMCAT_PORT.matcher(storefront.awaitStdout(line -> TOMCAT_PORT.matcher(line).find()));
        assertThat(port.find()).isTrue();
        JvmProcess caller = testbed.jvm("caller", jdk).mesh(controlPlane.uri(), "caller").driver(JavaNetHttp.class);

        // What it has to do with its first request is not what is measured.
        await().until(() -> isAnswered(caller, "http://orders/orders/1"));

        try (Load load = new Load(URI.create("http://127.0.0.1:" + port.group(1) + "/"))) {
            await().until(() -> load.answers.getOrDefault(BAD_GATEWAY, new LongAdder()).sum() > 20);
            JvmProcess attach = attach(jdk, storefront, "control-plane=" + controlPlane.uri(), "service=storefront");
            assertThat(attach.awaitExit()).as(attach::report).isZero();

            await().atMost(COVERED).until(() -> load.answers.containsKey(OK));
            await().atMost(COVERED).until(() -> isAnswered(caller, "http://storefront/"));
            long failedByThen = load.answers.get(BAD_GATEWAY).sum();
            long answeredByThen = load.answers.get(OK).sum();
            await().until(() -> load.answers.get(OK).sum() > answeredByThen + 200);

            assertThat(load.failures).isEmpty();
            assertThat(load.answers.keySet()).containsOnly(BAD_GATEWAY, OK);
            assertThat(load.answers.get(BAD_GATEWAY).sum()).as("orders is called through the mesh from then on").isEqualTo(failedByThen);
        }
    }

    private static boolean isAnswered(JvmProcess caller, String url) {
        return caller.ask(Map.of("url", url)).getOrDefault("status", "").equals("200");
    }

    /** A few callers outside the mesh over connections that they keep. */
    private static final class Load implements AutoCloseable {
        private static final int CALLERS = 4;

        final Map<Integer, LongAdder> answers = new ConcurrentHashMap<>();
        final Queue<String> failures = new ConcurrentLinkedQueue<>();
        private final HttpClient client = HttpClient.newHttpClient();
        private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        private final HttpRequest request;
        private volatile boolean ended;

        Load(URI url) {
            request = HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(20)).build();
            for (int i = 0; i < CALLERS; i++) {
                callers.execute(this::call);
            }
        }

        private void call() {
            while (!ended) {
                try {
                    int status = client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
                    answers.computeIfAbsent(status, first -> new LongAdder()).increment();
                    // Of a machine that does other things, too.
                    Thread.sleep(5);
                } catch (IOException failed) {
                    failures.add(failed.toString());
                } catch (InterruptedException hurried) {
                    return;
                }
            }
        }

        @Override
        public void close() throws InterruptedException {
            ended = true;
            callers.shutdown();
            assertThat(callers.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static final class Sleep implements AutoCloseable {
        final Process process;

        Sleep() throws IOException {
            process = new ProcessBuilder("sleep", "60").start();
        }

        @Override
        public void close() {
            process.destroy();
        }
    }

    private JvmProcess attach(Jdk jdk, JvmProcess target, String... settings) {
        String[] arguments = new String[settings.length + 2];
        arguments[0] = "attach";
        arguments[1] = Long.toString(target.pid());
        System.arraycopy(settings, 0, arguments, 2, settings.length);
        return testbed.jvm("attach", jdk).jar(Build.agent(), arguments);
    }
}
