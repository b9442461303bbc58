package io.weft.agent;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.ToIntFunction;

/**
 * What the JVM starts: premain, agentmain, and the command line of {@code java -jar weft-agent.jar}.
 *
 * <p>The jar is on the app's class path, so this class and {@link AgentClassLoader} are all that the app can see of the agent;
 * everything else is in the jar under {@code weft/} with a suffix that no other loader takes for a class. Nothing may be added
 * here that could be called from there: no logging, no settings.
 */
public final class WeftAgent {
    private WeftAgent() {}

    public static void premain(String argument, Instrumentation instrumentation) {
        start("io.weft.agent.start.OnPremain", argument, instrumentation);
    }

    public static void agentmain(String argument, Instrumentation instrumentation) {
        start("io.weft.agent.start.OnAttach", argument, instrumentation);
    }

    public static void main(String[] arguments) throws ReflectiveOperationException, URISyntaxException, java.io.IOException {
        // The system loader is the parent: jdk.attach is not visible to the platform loader.
        ClassLoader loader = new AgentClassLoader(jar(), ClassLoader.getSystemClassLoader());
        @SuppressWarnings("unchecked")
        ToIntFunction<List<String>> commandLine = (ToIntFunction<List<String>>) instance(loader, "io.weft.agent.start.CommandLine");
        System.exit(commandLine.applyAsInt(List.of(arguments)));
    }

    /** Never throws: an exception out of premain ends the JVM. */
    private static void start(String entry, String argument, Instrumentation instrumentation) {
        try {
            ClassLoader loader = new AgentClassLoader(jar(), ClassLoader.getPlatformClassLoader());
            @SuppressWarnings("unchecked")
            BiConsumer<String, Instrumentation> start = (BiConsumer<String, Instrumentation>) instance(loader, entry);
            start.accept(argument, instrumentation);
        } catch (Throwable fault) {
            System.err.println("weft: cannot start, the app runs without the mesh: " + fault);
        }
    }

    private static Object instance(ClassLoader loader, String name) throws ReflectiveOperationException {
        return loader.loadClass(name).getDeclaredConstructor().newInstance();
    }

    private static File jar() throws URISyntaxException {
        URL location = WeftAgent.class.getProtectionDomain().getCodeSource().getLocation();
        return new File(location.toURI());
    }
}
