package io.weft.agent.start;

import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.settings.Setting;
import io.weft.instrumentation.InstrumentationModule;
import java.io.PrintStream;

/** Every setting there is, from the list that they are read by. */
final class Help {
    private static final int WIDTH = 100;

    private Help() {}

    static void print(PrintStream out) {
        out.println("Weft " + AgentVersion.get() + ", a service mesh inside the JVM");
        out.println();
        out.println("  java -javaagent:weft-agent.jar[=SETTING=VALUE,…] -jar app.jar");
        out.println("  java -jar weft-agent.jar attach PID [SETTING=VALUE …]    into a JVM that runs already");
        out.println("  java -jar weft-agent.jar status [PID …] [--all] [--verbose] [--json] [--dir DIRECTORY]");
        out.println("                                                           what the JVMs in the mesh say: this user's, with --all everybody's");
        out.println("  java -jar weft-agent.jar explain [PID] METHOD URL [-H 'NAME: VALUE' …] [--json] [--dir DIRECTORY]");
        out.println("                                                           where a request of theirs would go, and whether by mesh TLS");
        out.println("  java -jar weft-agent.jar config-dump [PID] [--dir DIRECTORY]");
        out.println("                                                           what one has of the control plane, for weft config-dump");
        out.println("  java -jar weft-agent.jar --help | --version");
        out.println();
        out.println("A JDK from 21 on reports on its stderr that an agent was attached, unless the JVM was started with");
        out.println("-XX:+EnableDynamicAgentLoading.");
        out.println();
        out.println("Settings. Where one is set twice, the first of these has it: system property (-Dweft.mesh=…),");
        out.println("environment variable (WEFT_MESH), agent argument (mesh=…), properties file.");
        for (Setting setting : Setting.values()) {
            out.println();
            out.println("  " + setting.property() + "  " + setting.variable());
            wrapped(out, setting.meaning());
            wrapped(out, "Value: " + setting.form() + ". Default: " + setting.byDefault() + ".");
        }
        out.println();
        out.println("Libraries (MODULE), and the versions that each supports:");
        for (InstrumentationModule module : Modules.all()) {
            out.println("  " + module.name() + "  " + module.versions());
        }
    }

    private static void wrapped(PrintStream out, String text) {
        StringBuilder line = new StringBuilder("     ");
        for (String word : text.split(" ")) {
            if (line.length() + 1 + word.length() > WIDTH) {
                out.println(line);
                line = new StringBuilder("     ");
            }
            line.append(' ').append(word);
        }
        out.println(line);
    }
}
