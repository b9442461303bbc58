package io.weft.controlplane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.page.PageServer;
import io.weft.controlplane.rollout.FolderRoutes;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom a rollout is for, asked at a real control plane. */
class CanaryCommandTest {

    private static final List<String> VERBS = List.of("canary", "canary blue-green", "canary ab");

    @TempDir
    private Path folder;

    private ControlPlane controlPlane;
    private PageServer page;

    @BeforeEach
    void start() throws IOException {
        instance("orders", "version: v1", 7201);
        instance("orders", "version: v2", 7202);
        instance("mail", "team: post", 7301);
        controlPlane = ControlPlane.start(ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0)));
        page = PageServer.start(
                new PageServer.Settings(new InetSocketAddress("127.0.0.1", 0), Set.of(), Optional.empty(), token -> false),
                controlPlane, Optional.of(new FolderRoutes(folder)));
    }

    private void instance(String service, String tag, int port) throws IOException {
        Files.writeString(folder.resolve(service + port + ".yaml"), """
                type: Dataplane
                name: %1$s-%3$d
                mesh: default
                networking:
                  address: 127.0.0.1
                  inbound: [{port: %3$d, tags: {kuma.io/service: %1$s, kuma.io/protocol: http, %2$s}}]
                """.formatted(service, tag, port));
    }

    @AfterEach
    void stop() throws IOException {
        page.close();
        controlPlane.close();
    }

    private record Run(int exit, String err) {}

    private Run run(String verb, String service, String... more) {
        List<String> arguments = new ArrayList<>(List.of(verb.split(" ")));
        arguments.addAll(List.of(service, "--policies", folder.toString(), "--page", "http://127.0.0.1:" + page.port() + "/"));
        arguments.addAll(List.of(more));
        if (verb.endsWith("ab")) {
            arguments.addAll(List.of("--header", "x-group=beta"));
        }
        StringWriter err = new StringWriter();
        int exit = Weft.commandLine().setOut(new PrintWriter(new StringWriter())).setErr(new PrintWriter(err))
                .execute(arguments.toArray(String[]::new));
        return new Run(exit, err.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "orders | v3 | --to v3: no instance of orders in mesh default has that version; there are v1, v2",
        "orders | V2 | there are v1, v2. Did you mean v2?",
        "orders | 2 | there are v1, v2. Did you mean v2?",
        "ordres | v2 | no instance of ordres in mesh default is connected; weft status --all lists who is. Did you mean orders?",
        "mail | v2 | no instance of mail in mesh default is connected that says its version (WEFT_TAGS=version=v2)",
    })
    void toWhomNobodyIsNothingGoes(String service, String version, String said) throws IOException {
        for (String verb : VERBS) {
            for (List<String> from : List.of(List.<String>of(), List.of("--from", "v1"))) {
                List<String> more = new ArrayList<>(List.of("--to", version));
                more.addAll(from);
                Run run = run(verb, service, more.toArray(String[]::new));
                assertThat(run.exit()).as(verb).isEqualTo(1);
                assertThat(run.err().strip()).contains(said);
            }
        }
        assertThat(run("canary", "orders", "--to", "v3").err().strip()).as("another number is another version").endsWith("v1, v2");
        try (var files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.contains("canary") || name.contains("-ab"));
        }
    }

    @Test
    void whereThereIsOneItIsWritten() {
        assertThat(run("canary ab", "orders", "--to", "v2")).isEqualTo(new Run(0, ""));
        assertThat(folder.resolve("orders-ab.yaml")).exists();
    }

    @Test
    void fromAVersionThatIsGoneIsWhyOneLeavesIt() throws IOException {
        assertThat(run("canary ab", "orders", "--to", "v2", "--from", "v0")).isEqualTo(new Run(0, ""));
        assertThat(Files.readString(folder.resolve("orders-ab.yaml"))).contains("v0");
    }
}
