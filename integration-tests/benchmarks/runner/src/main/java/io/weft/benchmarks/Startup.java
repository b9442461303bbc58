package io.weft.benchmarks;

import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Time that the agent adds to a start, over the time that the OpenTelemetry agent adds to the same start. Each round starts the
 * app without an agent, with Weft and with OpenTelemetry; the differences are taken within the round.
 *
 * <p>Weft has a control plane to talk to and gets a policy; OpenTelemetry exports nothing, which is the least that it can cost.
 */
final class Startup implements Benchmark {
    private static final double BUDGET = 0.2;
    private static final Pattern SPRING_PORT = Pattern.compile("Tomcat started on port (\\d+)");

    @Override
    public String name() {
        return "startup";
    }

    @Override
    public String summary() {
        return "start-up added by the agent over that added by the OpenTelemetry agent; two apps, two JDKs";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        for (Jdk jdk : Jdks.matrix()) {
            for (App app : App.values()) {
                figures.accept(figure(settings, jdk, app));
            }
        }
    }

    private Figure figure(Settings settings, Jdk jdk, App app) throws Exception {
        Map<Agent, List<Start>> starts = new LinkedHashMap<>();
        for (int round = 0; round < settings.rounds(app.rounds, 1); round++) {
            for (Agent agent : Agent.values()) {
                starts.computeIfAbsent(agent, a -> new ArrayList<>()).add(start(jdk, app, agent));
            }
        }
        double weft = added(starts, Agent.WEFT, Start::wallMillis);
        double openTelemetry = added(starts, Agent.OPEN_TELEMETRY, Start::wallMillis);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("jdk", jdk.version());
        detail.put("app", app.title);
        detail.put("rounds", starts.get(Agent.NONE).size());
        detail.put("noneMs", Math.round(median(starts.get(Agent.NONE), Start::wallMillis)));
        detail.put("weftAddsMs", Math.round(weft));
        detail.put("openTelemetryAddsMs", Math.round(openTelemetry));
        double weftCpu = added(starts, Agent.WEFT, Start::cpuMillis);
        double openTelemetryCpu = added(starts, Agent.OPEN_TELEMETRY, Start::cpuMillis);
        detail.put("weftAddsCpuMs", Math.round(weftCpu));
        detail.put("openTelemetryAddsCpuMs", Math.round(openTelemetryCpu));
        detail.put("cpuRatio", Distribution.round(weftCpu / openTelemetryCpu, 2));
        return new Figure(name(), Distribution.round(weft / openTelemetry, 3), "ratio", BUDGET, detail);
    }

    private static double added(Map<Agent, List<Start>> starts, Agent agent, ToDoubleFunction<Start> quantity) {
        List<Double> differences = new ArrayList<>();
        for (int round = 0; round < starts.get(agent).size(); round++) {
            differences.add(quantity.applyAsDouble(starts.get(agent).get(round)) - quantity.applyAsDouble(starts.get(Agent.NONE).get(round)));
        }
        return Distribution.of(differences).median();
    }

    private static double median(List<Start> starts, ToDoubleFunction<Start> quantity) {
        return Distribution.of(starts.stream().mapToDouble(quantity).boxed().toList()).median();
    }

    private static Start start(Jdk jdk, App app, Agent agent) throws Exception {
        try (Testbed testbed = new Testbed()) {
            JvmCommand command = testbed.jvm(app.title, jdk);
            switch (agent) {
                case NONE -> {}
                case WEFT -> {
                    PolicyServer policies = testbed.policyServer();
                    policies.serve(Policy.empty().service("stock", new InetSocketAddress("127.0.0.1", 9)));
                    command.mesh(policies.uri(), "orders").unguarded();
                }
                case OPEN_TELEMETRY -> command
                        .option("-javaagent:" + Settings.openTelemetryAgent())
                        .environment("OTEL_TRACES_EXPORTER", "none")
                        .environment("OTEL_METRICS_EXPORTER", "none")
                        .environment("OTEL_LOGS_EXPORTER", "none");
            }
            return switch (app) {
                case WITHOUT_HTTP -> untilExit(command);
                case SPRING_BOOT -> untilFirstAnswer(command);
            };
        }
    }

    /** The whole life of the process: an agent can hold up its end too. */
    private static Start untilExit(JvmCommand command) {
        long start = System.nanoTime();
        JvmProcess process = command.module(Settings.workloads()).main("io.weft.benchmarks.workload.WordCount");
        int exit = process.awaitExit(Duration.ofMinutes(2));
        double wall = (System.nanoTime() - start) / 1e6;
        if (exit != 0) {
            throw new IllegalStateException(process.report());
        }
        return new Start(wall, Long.parseLong(process.nextAnswer().get("cpuMillis")));
    }

    private static Start untilFirstAnswer(JvmCommand command) throws IOException {
        long start = System.nanoTime();
        JvmProcess process = command.option("-Dserver.port=0").jar(Build.app("orders-v1"));
        Matcher port = SPRING_PORT.matcher(process.awaitStdout(line -> SPRING_PORT.matcher(line).find()));
        if (!port.find()) {
            throw new IllegalStateException(process.report());
        }
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port.group(1) + "/orders/1").toURL().openConnection();
        int status = connection.getResponseCode();
        double wall = (System.nanoTime() - start) / 1e6;
        connection.disconnect();
        if (status != 200) {
            throw new IllegalStateException("status " + status + "\n" + process.report());
        }
        return new Start(wall, Cpu.seconds(process) * 1e3);
    }

    private record Start(double wallMillis, double cpuMillis) {}

    private enum Agent { NONE, WEFT, OPEN_TELEMETRY }

    private enum App {
        WITHOUT_HTTP("without HTTP", 15),
        SPRING_BOOT("Spring Boot", 7);

        final String title;
        final int rounds;

        App(String title, int rounds) {
            this.title = title;
            this.rounds = rounds;
        }
    }
}
