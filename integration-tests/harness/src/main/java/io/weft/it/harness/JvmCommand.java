package io.weft.it.harness;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * How to start a JVM. Of the test's own environment nothing that a JVM, Weft or OpenTelemetry reads is handed on.
 * Not thread-safe.
 */
public final class JvmCommand {
    private final String name;
    private final Jdk jdk;
    private final Consumer<JvmProcess> started;
    private final List<String> options = new ArrayList<>();
    private final List<Path> classPath = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    /** Null: the one that is built. */
    private Path agent;
    /** Null: without. */
    private OpenTelemetry openTelemetry;

    JvmCommand(String name, Jdk jdk, Consumer<JvmProcess> started) {
        this.name = name;
        this.jdk = jdk;
        this.started = started;
    }

    /** An option before the main class, as in {@code -Xmx64m} or {@code -Dname=value}. */
    public JvmCommand option(String option) {
        options.add(option);
        return this;
    }

    public JvmCommand environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    public JvmCommand classPath(Path entry) {
        classPath.add(entry);
        return this;
    }

    public JvmCommand classPath(Library library) {
        library.jars().forEach(this::classPath);
        return this;
    }

    /** All classes of a module and of what it needs, as its build has copied it: {@code classes} and {@code lib/*}. */
    public JvmCommand module(Path target) {
        return classPath(target.resolve("classes")).classPath(target.resolve("lib/*"));
    }

    /** Whatever starts with the agent after this starts with that one: {@link FaultyAgent}. */
    public JvmCommand agentIs(Path jar) {
        agent = jar;
        return this;
    }

    /** Starts with the agent, on the command line. */
    public JvmCommand agent() {
        return option("-javaagent:" + (agent == null ? Build.agent() : agent));
    }

    /** A driver starts with the OpenTelemetry agent, too. Its spans go to standard error, unless the environment has them sent elsewhere. */
    public JvmCommand beside(OpenTelemetry order) {
        openTelemetry = order;
        return this;
    }

    /** Starts with the agent, as an operator adds it who cannot touch the command line. */
    public JvmCommand agentByToolOptions() {
        return environment("JAVA_TOOL_OPTIONS", "-javaagent:" + Build.agent());
    }

    /** Starts with the agent, as a member of a mesh. Its first request waits for the first policy, however loaded the machine is, but less than the test for its answer. */
    public JvmCommand mesh(URI controlPlane, String service) {
        return agent()
                .environment("WEFT_CONTROL_PLANE", controlPlane.toString())
                .environment("WEFT_SERVICE", service)
                .environment("WEFT_STARTUP_WAIT", "45s");
    }

    /** As a server whose control plane, as the test has it, says nothing of its ports at first: what comes in does not wait for that. */
    public JvmCommand unguarded() {
        return environment("WEFT_STARTUP_WAIT", "0s");
    }

    /** Runs one of the drivers, a main class of {@code integration-tests/drivers}. */
    public JvmProcess driver(Class<?> main, String... arguments) {
        return driver(main.getName(), arguments);
    }

    /** Runs a driver whose class needs what is not on the class path of the test. */
    public JvmProcess driver(String main, String... arguments) {
        if (openTelemetry != null) {
            options.add(openTelemetry == OpenTelemetry.FIRST ? 0 : options.size(), "-javaagent:" + OpenTelemetry.agent());
            environment.putIfAbsent("OTEL_TRACES_EXPORTER", "console");
            environment.putIfAbsent("OTEL_METRICS_EXPORTER", "none");
            environment.putIfAbsent("OTEL_LOGS_EXPORTER", "none");
        }
        return classPath(Build.drivers()).main(main, arguments);
    }

    public JvmProcess main(String mainClass, String... arguments) {
        List<String> command = new ArrayList<>(List.of(jdk.java().toString()));
        command.addAll(options);
        command.add("-cp");
        command.add(String.join(":", classPath.stream().map(Path::toString).toList()));
        command.add(mainClass);
        command.addAll(List.of(arguments));
        return start(command);
    }

    public JvmProcess jar(Path jar, String... arguments) {
        List<String> command = new ArrayList<>(List.of(jdk.java().toString()));
        command.addAll(options);
        command.add("-jar");
        command.add(jar.toString());
        command.addAll(List.of(arguments));
        return start(command);
    }

    /** Runs a tool of the JDK, as in {@code javac}; options for a JVM are not handed to it. */
    public JvmProcess tool(String tool, String... arguments) {
        List<String> command = new ArrayList<>(List.of(jdk.tool(tool).toString()));
        command.addAll(List.of(arguments));
        return start(command);
    }

    private JvmProcess start(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(JvmCommand::influencesAJvm);
        builder.environment().putAll(environment);
        JvmProcess process = JvmProcess.start(name, builder);
        started.accept(process);
        return process;
    }

    private static boolean influencesAJvm(String variable) {
        return variable.startsWith("WEFT_")
                || variable.startsWith("OTEL_")
                || variable.startsWith("GRPC_XDS_")
                || variable.equals("JAVA_TOOL_OPTIONS")
                || variable.equals("JDK_JAVA_OPTIONS")
                || variable.equals("_JAVA_OPTIONS")
                || variable.equals("CLASSPATH");
    }
}
