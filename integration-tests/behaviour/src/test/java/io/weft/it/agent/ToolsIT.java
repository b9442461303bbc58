package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.Build;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tools of a JDK that are started with the agent by JAVA_TOOL_OPTIONS do what they do without. */
class ToolsIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private record Outcome(int exit, String stdout, String stderr) {}

    @EveryJdk
    void jdkToolsAreLeftAlone(Jdk jdk) throws Exception {
        Path folder = testbed.temporaryFolder();
        Path source = Files.writeString(folder.resolve("A.java"), "class A { int x = \"not a number\"; }");
        List<List<String>> commands = List.of(
                List.of("javac", "-d", folder.toString(), source.toString()),
                List.of("jcmd", Long.toString(ProcessHandle.current().pid()), "VM.version"),
                List.of("keytool", "-list", "-keystore", folder.resolve("none").toString()),
                List.of("jar", "--version"),
                List.of("java", "-version"));
        for (List<String> command : commands) {
            List<String> full = new ArrayList<>(command);
            full.set(0, jdk.tool(command.get(0)).toString());

            Outcome without = run(folder, full, "-Dno=agent");
            Outcome with = run(folder, full, "-javaagent:" + Build.agent());

            assertThat(with).as(String.join(" ", command)).isEqualTo(without);
        }
    }

    @EveryJdk
    void programInOneSourceFileIsAnApp(Jdk jdk) throws Exception {
        Path folder = testbed.temporaryFolder();
        Path source = Files.writeString(folder.resolve("B.java"),
                "class B { public static void main(String[] a) { System.out.println(\"app\"); } }");

        Outcome outcome = run(folder, List.of(jdk.java().toString(), source.toString()), "-javaagent:" + Build.agent());

        assertThat(outcome.stdout).isEqualTo("app\n");
        assertThat(outcome.stderr).contains(" weft INFO ");
    }

    @EveryJdk
    void helpListsEverySettingUnderItsNames(Jdk jdk) throws Exception {
        Outcome help = run(testbed.temporaryFolder(), List.of(jdk.java().toString(), "-jar", Build.agent().toString(), "--help"), "-Dno=agent");

        assertThat(help.exit).isZero();
        assertThat(help.stdout).contains("weft.control-plane  WEFT_CONTROL_PLANE", "weft.drain.timeout  WEFT_DRAIN_TIMEOUT",
                "weft.instrumentation.MODULE.enabled", "tomcat  8.5.76 and later", "attach PID");
        assertThat(help.stderr).isEmpty();
    }

    /** Without the line with which the JVM itself answers to JAVA_TOOL_OPTIONS. */
    private Outcome run(Path folder, List<String> command, String options) throws IOException, InterruptedException {
        Path stdout = folder.resolve("stdout");
        Path stderr = folder.resolve("stderr");
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(stdout.toFile()).redirectError(stderr.toFile());
        builder.environment().put("JAVA_TOOL_OPTIONS", options);
        builder.environment().put("WEFT_CONTROL_PLANE", "grpc://127.0.0.1:1");
        int exit = builder.start().waitFor();
        return new Outcome(exit, Files.readString(stdout), withoutPickedUp(Files.readString(stderr, StandardCharsets.UTF_8)));
    }

    private static String withoutPickedUp(String stderr) {
        return String.join("\n", stderr.lines().filter(line -> !line.startsWith("Picked up JAVA_TOOL_OPTIONS")).toList());
    }
}
