package io.weft.controlplane.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weft demo}. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Shows unmodified services obey a canary policy that is edited while traffic flows.",
            "Starts, as JVMs of their own on loopback, a control plane, storefront, three instances of orders and a batch client,"
                    + " edits the policy file step by step and shows who gets what."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:every step held and no request failed", "1:a step did not hold, or a request failed", "2:wrong usage"})
public final class DemoCommand implements Callable<Integer> {

    /** As a shell says of what SIGINT ended. */
    private static final int INTERRUPTED = 130;

    @Option(
            names = "--once",
            description = "Do every step unattended, print a line for each and, last, one JSON object; then end.")
    private boolean once;

    @Option(
            names = "--requests",
            paramLabel = "N",
            defaultValue = "2500",
            description = "How many requests judge a step; 2000 or more. Default: ${DEFAULT-VALUE}.")
    private int requests;

    @Option(
            names = "--pause",
            paramLabel = "SECONDS",
            defaultValue = "6",
            description = "Without --once: how long each step stays on the screen. Default: ${DEFAULT-VALUE}.")
    private int pauseSeconds;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        if (requests < 2000) {
            throw new ParameterException(spec.commandLine(), "--requests must be 2000 or more, not " + requests);
        }
        if (pauseSeconds < 0) {
            throw new ParameterException(spec.commandLine(), "--pause must not be negative");
        }
        DemoFiles files = DemoFiles.in(home());
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        // System.console() does not tell on newer JDKs, where it is there even when the output is a file; the launcher does.
        boolean terminal = Boolean.getBoolean("weft.terminal");
        boolean live = !once && terminal;
        DemoResult result;
        try (DemoMesh mesh = new DemoMesh(files);
                View view = live
                        ? new LiveView(out, mesh, Scenario.steps())
                        : new PlainView(new PrintStream(out, true, StandardCharsets.UTF_8))) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(view, mesh), "demo-stop"));
            try {
                result = run(mesh, files, view, live);
            } catch (IllegalStateException failed) {
                if (mesh.isClosed()) {
                    // Ctrl-C: a process that is missed now is one that was ended.
                    return INTERRUPTED;
                }
                throw failed;
            }
        }
        out.println(json(result));
        out.flush();
        if (!result.ok()) {
            System.err.println("weft demo: a step did not hold, or a request failed. The logs of all processes are in " + files.logs());
        }
        return result.ok() ? 0 : 1;
    }

    private static void end(View view, DemoMesh mesh) {
        view.close();
        mesh.close();
    }

    private DemoResult run(DemoMesh mesh, DemoFiles files, View view, boolean live) throws Exception {
        view.says("Starting a control plane and five services; logs in\n" + here(files.logs()));
        mesh.start();
        String policy = here(mesh.policy().file());
        view.says("The policy that is being edited:\n" + policy);
        StepRunner runner = new StepRunner(mesh, requests);
        List<StepResult> results = new ArrayList<>();
        for (Step step : Scenario.steps()) {
            view.began(step);
            StepResult result = runner.run(step);
            view.ended(step, result);
            results.add(result);
            if (!once) {
                Thread.sleep(pauseSeconds * 1_000L);
            }
        }
        if (live) {
            mesh.policy().handOver();
            view.says("Now it is yours: edit the policy and watch. Ctrl-C ends the demo.\n" + policy);
            Thread.sleep(Long.MAX_VALUE);
        }
        return DemoResult.of(mesh.answers(), results);
    }

    /** As seen from the working directory, when it is below it. */
    private static String here(Path path) {
        Path directory = Path.of("").toAbsolutePath();
        return (path.startsWith(directory) ? directory.relativize(path) : path).toString();
    }

    private Path home() throws IOException {
        String home = System.getProperty("weft.home");
        if (home == null) {
            throw new IOException("The demo needs a checkout of Weft: run it as ./weft demo from there.");
        }
        return Path.of(home);
    }

    private static String json(DemoResult result) throws JsonProcessingException {
        return JsonMapper.builder().build().writeValueAsString(result);
    }
}
