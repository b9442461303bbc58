package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Port;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A JVM that has used its libraries already gets the agent. */
class AttachIT {
    private static final Pattern TOMCAT_PORT = Pattern.compile("Tomcat started on port (\\d+)");
    /** Of a machine that has nothing else to do. */
    private static final Duration COVERED = Duration.ofSeconds(3);
    /** What a JDK's compiler takes there to say which version it is: 0.11 to 0.2 s. */
    private static final Duration COMPILER = Duration.ofMillis(200);
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
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

    /** Fails open: the app goes on without the mesh until the control plane is there. */
    @EveryJdk
    void aControlPlaneThatIsNotThereIsSaidToWhoAttaches(Jdk jdk) throws IOException {
        PolicyServer server = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        String nobody = "grpc://127.0.0.1:" + Port.unused();
        JvmProcess client = testbed.jvm("client", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);
        client.get("http://127.0.0.1:" + orders.address().getPort() + "/");
        JvmProcess unused = testbed.jvm("unused", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);

        JvmProcess attach = attach(jdk, client, "control-plane=" + nobody, "startup-wait=1s");
        JvmProcess early = attach(jdk, unused, "control-plane=" + server.uri());

        assertThat(attach.awaitExit()).as(attach::report).isZero();
        assertThat(attach.stdout()).singleElement().asString().contains(": started, control plane " + nobody + " (no connection: ");
        assertThat(client.get("http://127.0.0.1:" + orders.address().getPort() + "/").body()).isEqualTo("orders");
        assertThat(early.awaitExit()).as(early::report).isZero();
        assertThat(early.stdout()).singleElement().asString().contains(": started, control plane " + server.uri() + " (not asked yet");
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

    /** The app's stderr may be far away, and the agent does not start twice. */
    @EveryJdk
    void aSettingThatThereIsNotIsSaidToWhoAttaches(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        JvmProcess client = testbed.jvm("client", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);
        client.getFailing("http://127.0.0.1:1/");

        JvmProcess attach = attach(jdk, client, "control-plane=" + server.uri(), "startup-wait=1s", "sevice=batch");

        assertThat(attach.awaitExit()).as(attach::report).isZero();
        assertThat(attach.stdout()).singleElement().asString()
                .contains(": started, control plane " + server.uri(), "; agent argument sevice is no setting of the agent; did you mean weft.service?; a port");
    }

    @EveryJdk
    void processThatIsNoJvmSurvives(Jdk jdk) throws Exception {
        Process sleep = testbed.closeAfterwards(new Sleep()).process;

        JvmProcess attach = testbed.jvm("attach", jdk).jar(Build.agent(), "attach", Long.toString(sleep.pid()));

        assertThat(attach.awaitExit()).isEqualTo(1);
        assertThat(attach.stderr()).singleElement().asString().contains("cannot attach to " + sleep.pid() + ": it is no JVM");
        assertThat(sleep.isAlive()).isTrue();
    }

    /** Its port was bound before, and its connections are open: it calls through the mesh, and is called, three seconds after the command began. */
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

        double slowness = slowness(jdk);
        Duration calls;
        Duration isCalled;
        try (Load load = new Load(URI.create("http://127.0.0.1:" + port.group(1) + "/"));
                Load answeredBefore = new Load(URI.create("http://127.0.0.1:" + port.group(1) + "/nothing-there"))) {
            await().until(() -> load.answers.getOrDefault(BAD_GATEWAY, new LongAdder()).sum() > 20 && answeredBefore.answers.containsKey(NOT_FOUND));
            long began = System.nanoTime();
            JvmProcess attach = attach(jdk, storefront, "control-plane=" + controlPlane.uri(), "service=storefront");
            assertThat(attach.awaitExit()).as(attach::report).isZero();

            await().until(() -> load.answers.containsKey(OK));
            calls = Duration.ofNanos(System.nanoTime() - began);
            long failedByThen = load.answers.get(BAD_GATEWAY).sum();
            long covered = System.nanoTime();
            await().until(() -> isAnswered(caller, "http://storefront/"));
            isCalled = Duration.ofNanos(System.nanoTime() - covered);
            long answeredByThen = load.answers.get(OK).sum();
            await().until(() -> load.answers.get(OK).sum() > answeredByThen + 200);

            assertThat(load.failures).isEmpty();
            assertThat(load.answers.keySet()).containsOnly(BAD_GATEWAY, OK);
            assertThat(load.answers.get(BAD_GATEWAY).sum()).as("orders is called through the mesh by all that ask from then on")
                    .isLessThanOrEqualTo(failedByThen + Load.CALLERS);
            assertThat(answeredBefore.failures).isEmpty();
            assertThat(answeredBefore.answers.keySet()).as("what the app could do before").containsOnly(NOT_FOUND);
        }
        slowness = Math.max(slowness, slowness(jdk));
        Duration limit = Duration.ofMillis((long) (COVERED.toMillis() * slowness));
        assertThat(List.of(calls, isCalled)).as("on a machine that is slower by " + slowness).allSatisfy(took -> assertThat(took).isLessThan(limit));
    }

    /**
     * By how much this machine is slower now than one that has nothing else to do: other tests and builds on it make an attach slower, as they make a program slower that
     * has nothing of the agent's. Never below one, so that with nothing else to do the claim is what it says.
     */
    private double slowness(Jdk jdk) {
        long slowest = 0;
        for (int i = 0; i < 3; i++) {
            long began = System.nanoTime();
            JvmProcess compiler = testbed.jvm("compiler", jdk).tool("javac", "-version");
            assertThat(compiler.awaitExit()).as(compiler::report).isZero();
            slowest = Math.max(slowest, System.nanoTime() - began);
        }
        return Math.max(1, (double) slowest / COMPILER.toNanos());
    }

    /** A server that listened before the agent came. */
    private enum Listening {
        JETTY_9_4("jetty.javax.JettyServer", "jetty-9.4", true),
        JETTY_12("jetty.jakarta.JettyServer", "jetty-12", false),
        UNDERTOW_2_2("UndertowServer", "undertow-2.2", true),
        UNDERTOW_2_4("UndertowServer", "undertow-2.4", false),
        NETTY_4_1("NettyServer", "netty-4.1", true),
        REACTOR_NETTY("ReactorNettyServer", "reactor-netty-1.3", false),
        HELIDON("HelidonServer", "helidon-4.5", false),
        JDK_HTTP_SERVER("JdkHttpServer", null, true),
        JDK_HTTP_SERVER_OF_THE_NEWEST("JdkHttpServer", null, false);

        final String service = name().toLowerCase(Locale.ROOT).replace('_', '-');
        private final String driver;
        /** Null: part of the JDK. */
        private final String library;
        private final boolean onTheOldest;

        Listening(String driver, String library, boolean onTheOldest) {
            this.driver = "io.weft.driver." + driver;
            this.library = library;
            this.onTheOldest = onTheOldest;
        }

        static List<Listening> on(Jdk jdk) {
            boolean oldest = jdk.equals(Jdks.matrix().get(0));
            return Stream.of(values()).filter(server -> server.onTheOldest == oldest).toList();
        }

        JvmProcess start(JvmCommand jvm) {
            return (library == null ? jvm : jvm.classPath(Library.named(library))).driver(driver, service);
        }

        /** It is found by what it accepts. */
        boolean isOfNetty() {
            return library != null && library.contains("netty");
        }
    }

    @EveryJdk
    void aPortThatWasBoundIsRegisteredWithItsNextRequestAndNoLongerWhenItCloses(Jdk jdk) throws Exception {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        List<Listening> servers = Listening.on(jdk);
        List<JvmProcess> processes = servers.stream()
                .map(server -> server.start(testbed.jvm(server.service, jdk).option("-XX:+EnableDynamicAgentLoading"))).toList();
        JvmProcess caller = testbed.jvm("caller", jdk).mesh(controlPlane.uri(), "caller").driver(JavaNetHttp.class);
        List<URI> addresses = processes.stream().map(process -> URI.create("http://127.0.0.1:" + process.awaitPort() + "/")).toList();
        HttpClient before = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (URI address : addresses) {
            body(before, address);
        }

        List<JvmProcess> attached = new ArrayList<>();
        for (int i = 0; i < servers.size(); i++) {
            attached.add(attach(jdk, processes.get(i), "control-plane=" + controlPlane.uri(), "service=" + servers.get(i).service));
        }

        for (int i = 0; i < servers.size(); i++) {
            Listening server = servers.get(i);
            JvmProcess attach = attached.get(i);
            assertThat(attach.awaitExit()).as(attach::report).isZero();
            assertThat(status(processes.get(i)))
                    .containsPattern("\"unregisteredPorts\":\\[\\{\"address\":\"[^\"]+:" + addresses.get(i).getPort() + "\",\"reason\":\"attached_late\"");
            HttpClient client = server.isOfNetty() ? HttpClient.newHttpClient() : before;
            assertThat(body(client, addresses.get(i))).isEqualTo(server.service);
            await(server.service).until(() -> isAnswered(caller, "http://" + server.service + "/"));
            JvmProcess found = processes.get(i);
            await(server.service).until(() -> status(found).contains("\"unregisteredPorts\":[]"));
        }
        for (int i = 0; i < servers.size(); i++) {
            String url = "http://" + servers.get(i).service + "/";
            processes.get(i).send("close");
            await(url).until(() -> !isAnswered(caller, url));
        }
    }

    private static String status(JvmProcess process) throws IOException {
        await().until(() -> AdminPage.isOpen(AdminPage.usualSocket(process)));
        return AdminPage.ask(AdminPage.usualSocket(process), "GET", "/status");
    }

    private static String body(HttpClient client, URI address) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(60)).build(), HttpResponse.BodyHandlers.ofString()).body();
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
