package io.weft.controlplane.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry;
import io.weft.controlplane.registry.SavedRegistration;
import io.weft.controlplane.registry.StateFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class WeftTest {

    private static final String GOOD = """
            type: MeshService
            name: orders
            spec: {selector: {dataplaneTags: {kuma.io/service: orders}}, ports: [{port: 80}]}
            """;

    @TempDir
    private Path folder;

    /** How a run ended and what it printed. */
    private record Run(int exit, String out, String err) {}

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Weft.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments);
        return new Run(exit, out.toString(), err.toString());
    }

    @Test
    void checkSaysWhatIsInOrder() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), GOOD);
        Run run = run("policy", "check", folder.toString());
        assertThat(run.exit()).isZero();
        assertThat(run.out()).isEqualToNormalizingNewlines("""
                %s/a.yaml:1: MeshService orders (mesh default): ok
                1 in order, 0 problems
                """.formatted(folder));
        assertThat(run.err()).isEmpty();
    }

    @Test
    void checkSaysWhatIsWrongAndWhere() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), GOOD + "---\n" + GOOD.replace("port: 80", "port: 0"));
        Run run = run("policy", "check", folder.toString());
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.err()).contains(folder + "/a.yaml:7: spec.ports[0].port: must be from 1 to 65535, not 0");
        assertThat(run.err()).contains("stands already in");
    }

    @Test
    void checkTakesFilesAndFoldersTogether() throws IOException {
        Path one = Files.writeString(folder.resolve("a.yaml"), GOOD);
        Path other = Files.writeString(Files.createDirectory(folder.resolve("new")).resolve("b.txt"), GOOD.replace("name: orders", "name: users"));
        Run good = run("policy", "check", folder.toString(), one.toString(), other.toString());
        assertThat(good.exit()).as(good.err()).isZero();
        assertThat(good.out()).contains(one + ":1: MeshService orders", other + ":1: MeshService users", "2 in order, 0 problems");

        Files.writeString(other, GOOD);
        Run twice = run("policy", "check", one.toString(), other.toString());
        assertThat(twice.exit()).isEqualTo(1);
        assertThat(twice.err()).contains(other + ":1: MeshService orders (mesh default) stands already in " + one + ":1");
    }

    @Test
    void checkWarnsOfWhomNobodyDefinesAndFailsOnlyIfAsked() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), GOOD + "---\ntype: MeshTimeout\nname: t\nspec: {to: [{targetRef: {kind: MeshService, name: odrers}, "
                + "default: {connectionTimeout: 2s}}]}\n");
        Run run = run("policy", "check", folder.toString());
        assertThat(run.exit()).isZero();
        assertThat(run.out()).contains("2 in order, 0 problems, 1 warnings");
        assertThat(run.err()).startsWith(folder + "/a.yaml:5: warning: MeshTimeout t (mesh default): names service odrers").contains("Did you mean orders?");
        assertThat(run("policy", "check", "--strict", folder.toString()).exit()).isEqualTo(1);
        assertThat(run("policy", "check", "--json", folder.toString()).out()).contains("\"ok\":true", "\"warnings\":[{\"file\":\"" + folder + "/a.yaml\",\"line\":5");
    }

    @Test
    void checkSaysWhichPolicyHasNoEffect() throws IOException {
        String timeout = "type: MeshTimeout\nname: %s\nspec: {to: [{targetRef: {kind: Mesh}, default: {connectionTimeout: 2s}}]}\n";
        Files.writeString(folder.resolve("a.yaml"), timeout.formatted("mine") + "---\n" + timeout.formatted("its"));
        assertThat(run("policy", "check", folder.toString()).out())
                .contains("a.yaml:1: MeshTimeout mine (mesh default): ok, overridden by its: has no effect", "MeshTimeout its (mesh default): ok\n");
        JsonNode report = new ObjectMapper().readTree(run("policy", "check", "--json", folder.toString()).out());
        assertThat(report.at("/documents/0/overriddenBy")).hasToString("[]");
        assertThat(report.at("/documents/1/overriddenBy")).hasToString("[\"its\"]");
    }

    @Test
    void explainNamesAProcessAsStatusDoes() {
        Run none = run("explain", "orders", "GET", "http://orders/");
        assertThat(none.exit()).isEqualTo(2);
        assertThat(none.err()).contains("'orders' is no process id");
        assertThat(none.err()).contains("Usage: weft explain").contains("[PID] METHOD URL");
        assertThat(run("explain", "--pid", "1", "GET", "http://orders/").exit()).isEqualTo(2);
        assertThat(run("explain", "GET").exit()).isEqualTo(2);
        Run noMethod = run("explain", "4711", "http://orders/");
        assertThat(noMethod.exit()).isEqualTo(2);
        assertThat(noMethod.err()).contains("'4711' is no method", "weft explain [PID] METHOD URL");
    }

    @Test
    void checkForScripts() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), GOOD + "---\ntype: MeshOPA\nname: x\nspec: {}\n");
        Run run = run("policy", "check", "--json", folder.toString());
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.out().strip()).doesNotContain("\n");
        JsonNode report = new ObjectMapper().readTree(run.out());
        assertThat(report.get("ok").asBoolean()).isFalse();
        assertThat(report.at("/documents/0/name").asText()).isEqualTo("orders");
        assertThat(report.at("/paths/0").asText()).isEqualTo(folder.toString());
        assertThat(report.at("/problems/0/file").asText()).isEqualTo(folder + "/a.yaml");
        assertThat(report.at("/problems/0/line").asInt()).isEqualTo(5);
        assertThat(report.at("/problems/0/field").asText()).isEqualTo("type");
    }

    @Test
    void aFolderThatIsNotThere() {
        Run check = run("policy", "check", folder.resolve("none").toString());
        assertThat(check.exit()).isEqualTo(1);
        assertThat(check.err()).contains("there is no such file or folder");
        Run serve = run("control-plane", "--policies", folder.resolve("none").toString());
        assertThat(serve.exit()).isEqualTo(1);
        assertThat(serve.err()).contains("is not a folder; create it or name another one");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--listen=5678", "--listen=a:b", "--listen=a:70000", "--grace=10", "--grace=-1s", "--unknown"})
    void wrongUsage(String option) {
        Run run = run("control-plane", "--policies", folder.toString(), option);
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).contains(option.split("=")[0]);
    }

    @Test
    void wrongUsageIsNotBuriedUnderTheHelp() {
        Run run = run("canary", "orders", "--to", "v2", "--page", "nonsense");
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).startsWith("Invalid value for option '--page': 'nonsense' is no URL of a page; write it as http://127.0.0.1:5679/")
                .contains("Usage: weft canary ").endsWith("More is said by: weft canary --help" + System.lineSeparator());
        assertThat(run.err().lines().count()).isLessThan(10);
    }

    @Test
    void aPageThatIsNotThere() throws IOException {
        String nobody;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = "http://127.0.0.1:" + socket.getLocalPort() + "/";
        }
        Run diff = run("diff", "--page", nobody, folder.toString());
        assertThat(diff.exit()).isEqualTo(1);
        assertThat(diff.err()).contains(nobody + " does not answer (nobody listens there; is the control plane running", "name it with --page");
    }

    @Test
    void aStateFolderThatCannotBeWritten() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        Run run = run("control-plane", "--policies", folder.toString(), "--listen=127.0.0.1:0", "--page=off", "--state-dir", file.resolve("state").toString());
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.err()).contains("nothing can be kept in the state folder " + file, "name another one with --state-dir");
    }

    @Test
    void filesOfACertificateThatAreNotThere() {
        Run run = run("control-plane", "--policies", folder.toString(), "--listen=127.0.0.1:0", "--page=off",
                "--tls-certificate", folder.resolve("a.pem").toString(), "--tls-key", folder.resolve("a.key").toString());
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.err()).contains("cannot be used: " + folder.resolve("a.pem") + " is not there");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--service=or ders", "--mesh=a/b", "--valid-for=0s"})
    void aTokenThatCannotBeMeantNamesTheOptionThatIsWrong(String option) {
        Run run = run("token", "--policies", folder.toString(), option.startsWith("--service") ? "--mesh=default" : "--service=orders", option);
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).startsWith("Invalid value for option '" + option.split("=")[0] + "': ");
    }

    /** A key that is made in a wrong place makes tokens that no control plane knows. */
    @Test
    void keysOfAFolderThatIsNotThere() {
        Path none = folder.resolve("none");
        for (String[] command : new String[][] {{"token", "--service=orders"}, {"ca", "rotate"}}) {
            String[] arguments = Arrays.copyOf(command, command.length + 1);
            arguments[command.length] = "--policies=" + none;
            Run run = run(arguments);
            assertThat(run.exit()).isEqualTo(1);
            assertThat(run.err()).contains("--policies " + none + " is not a folder; name the one of the control plane");
            assertThat(none).doesNotExist();
        }
    }

    @Test
    void aTokenIsMadeAndRevoked() throws IOException {
        Run made = run("token", "--policies", folder.toString(), "--service", "orders");
        assertThat(made.exit()).isZero();
        Path file = Files.writeString(folder.resolve("orders.token"), made.out());
        Run revoked = run("token", "revoke", "--policies", folder.toString(), file.toString());
        assertThat(revoked.exit()).as(revoked.err()).isZero();
        assertThat(revoked.out()).startsWith("revoked: a token of service orders in mesh default");
        Path list = folder.resolve(".weft/token/revoked");
        assertThat(Files.readAllLines(list)).singleElement().asString().contains(" orders of mesh default, expires ");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(list))).isEqualTo("rw-------");

        Run nonsense = run("token", "revoke", "--policies", folder.toString(), Files.writeString(folder.resolve("x"), "x").toString());
        assertThat(nonsense.exit()).isEqualTo(1);
        assertThat(nonsense.err()).contains("the token is no JSON Web Token");
        assertThat(run("token", "--service", "orders").exit()).isEqualTo(2);
        assertThat(run("token", "--policies", folder.toString()).exit()).isEqualTo(2);
        assertThat(run("token", "revoke", file.toString()).exit()).isEqualTo(2);
    }

    @Test
    void aTokenForAServiceThatIsLikeAnotherIsMadeAndDoubted() throws IOException {
        Files.writeString(folder.resolve("a.yaml"), GOOD);
        Run odd = run("token", "--policies", folder.toString(), "--service", "odrers");
        assertThat(odd.exit()).isZero();
        assertThat(odd.out()).isNotBlank();
        assertThat(odd.err()).isEqualToNormalizingNewlines("weft token: warning: service odrers is not known here yet. Did you mean orders?\n");
        assertThat(run("token", "--policies", folder.toString(), "--service", "orders").err()).isEmpty();
        assertThat(run("token", "--policies", folder.toString(), "--service", "catalog").err()).as("nothing is like it").isEmpty();

        new StateFile(folder.resolve(".weft")).write(List.of(new SavedRegistration(
                "default.catalog-1", "catalog", ClientNode.Kind.AGENT, "{}", Registry.Health.HEALTHY, false, Set.of())));
        assertThat(run("token", "--policies", folder.toString(), "--service", "cataloge").err()).contains("Did you mean catalog?");
        assertThat(run("token", "--policies", folder.toString(), "--mesh", "other", "--service", "cataloge").err()).isEmpty();
    }

    /** As "Prints" or "Has": one mood for all. */
    @Test
    void theHelpOfEachCommandBeginsWithWhatItDoes() {
        commands(Weft.commandLine()).skip(1).filter(command -> !command.getCommandSpec().helpCommand()).forEach(command -> assertThat(command.getCommandSpec().usageMessage().description()[0])
                .as(command.getCommandSpec().qualifiedName())
                .matches("(Has|Is|[A-Z][a-z]+s) .*"));
    }

    private static Stream<CommandLine> commands(CommandLine command) {
        return Stream.concat(Stream.of(command), command.getSubcommands().values().stream().flatMap(WeftTest::commands));
    }

    @Test
    void theGraceOfTheCommandLineIsTheUsualOne() throws Exception {
        String grace = Weft.commandLine().getSubcommands().get("control-plane").getCommandSpec().findOption("--grace").defaultValue();
        assertThat(DurationConverter.parse(grace)).isEqualTo(ControlPlane.Settings.DEFAULT_GRACE);
    }

    @Test
    void everyCommandHasHelp() {
        assertHelp(Weft.commandLine());
    }

    private static void assertHelp(CommandLine command) {
        String usage = command.getUsageMessage();
        assertThat(usage).contains("Usage: " + command.getCommandSpec().qualifiedName());
        assertThat(command.getCommandSpec().usageMessage().description()).as(command.getCommandName()).isNotEmpty();
        command.getCommandSpec().options().forEach(option ->
                assertThat(option.description()).as(option.longestName()).isNotEmpty());
        for (String line : command.getCommandSpec().usageMessage().footer()) {
            assertThatCode(() -> String.format(line)).as("a format, else picocli complains on stderr: " + line).doesNotThrowAnyException();
        }
        command.getSubcommands().values().forEach(WeftTest::assertHelp);
    }

    @Test
    void itServesSaysSoAndStopsWhenAsked() throws Exception {
        Files.writeString(folder.resolve("a.yaml"), GOOD);
        Process process = start("--json");
        try {
            JsonNode ready = new ObjectMapper().readTree(firstLine(process));
            assertThat(ready.get("ready").asBoolean()).isTrue();
            assertThat(ready.get("address").asText()).matches("grpc://127\\.0\\.0\\.1:\\d+");
            assertThat(ready.get("inForce").asInt()).isEqualTo(1);

            Run sameState = run("control-plane", "--policies", folder.toString(), "--listen", "127.0.0.1:0");
            assertThat(sameState.exit()).isEqualTo(1);
            assertThat(sameState.err()).contains("another control plane uses the state folder " + folder.resolve(".weft")
                    + "; stop that one, or give this one a folder of its own with --state-dir");
            Run second = run("control-plane", "--policies", folder.toString(), "--state-dir", folder.resolve("other").toString(),
                    "--listen", ready.get("address").asText().substring("grpc://".length()));
            assertThat(second.exit()).isEqualTo(1);
            assertThat(second.err()).contains("is another one running? Choose another address with --listen");

            process.destroy();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(folder.resolve(".weft/registrations.json")).exists();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aFileThatIsRefusedIsSaidAndSoIsItsEnd() throws Exception {
        Path file = Files.writeString(folder.resolve("a.yaml"), GOOD.replace("port: 80", "port: 0"));
        ProcessBuilder builder = command("--json");
        Path log = folder.resolve("log");
        Process process = builder.redirectError(log.toFile()).start();
        try {
            firstLine(process);
            await().until(() -> Files.readString(log).contains("refused: a.yaml:3: spec.ports[0].port"));
            Files.writeString(file, GOOD);
            await().until(() -> Files.readString(log).contains("no longer refused: a.yaml"));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aPolicyThatDoesNothingIsSaidOnceItIsSaved() throws Exception {
        String timeout = "type: MeshTimeout\nname: %s\nspec: {to: [{targetRef: {kind: MeshService, name: %s}, default: {connectionTimeout: 2s}}]}\n";
        Files.writeString(folder.resolve("a.yaml"), GOOD);
        ProcessBuilder builder = command("--json");
        Path log = folder.resolve("log");
        Process process = builder.redirectError(log.toFile()).start();
        try {
            firstLine(process);
            Files.writeString(folder.resolve("b.yaml"), timeout.formatted("t", "odrers"));
            await().until(() -> Files.readString(log).contains("matches nobody yet: b.yaml:1: MeshTimeout t (mesh default): names service odrers")
                    && Files.readString(log).contains("Did you mean orders?"));
            Files.writeString(folder.resolve("c.yaml"), timeout.formatted("s", "orders") + "---\n" + timeout.formatted("u", "orders"));
            await().until(() -> Files.readString(log).contains("c.yaml:5: MeshTimeout u (mesh default): has no effect, overridden by s"));
            assertThat(Files.readString(log)).as("each once").containsOnlyOnce("matches nobody yet").containsOnlyOnce("has no effect");
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void whereKeysWouldGoOverANetworkInTheClearItSaysSo() throws Exception {
        ProcessBuilder builder = command("--json", "--page", "off");
        builder.command().replaceAll(word -> word.equals("127.0.0.1:0") ? "0.0.0.0:0" : word);
        Path log = folder.resolve("log");
        Process process = builder.redirectError(log.toFile()).start();
        try {
            firstLine(process);
            assertThat(Files.readString(log)).contains("--tls-certificate");
        } finally {
            process.destroyForcibly();
        }
    }

    private Process start(String... more) throws IOException {
        return command(more).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private ProcessBuilder command(String... more) {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"),
                Weft.class.getName(),
                "control-plane", "--policies", folder.toString(), "--listen", "127.0.0.1:0");
        builder.command().addAll(java.util.List.of(more));
        return builder;
    }

    private static String firstLine(Process process) throws IOException {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
    }
}
