package io.weft.agent.start;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.mesh.ServicePorts;
import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.agent.status.BoundPorts;
import io.weft.instrumentation.InstrumentationModule;
import java.io.File;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Starts the agent on the JVM's main thread, as little of it as must be there before the app's first class: settings, bridge,
 * transformer. All else runs on the agent's own threads.
 */
final class Agent {

    /**
     * @param message for who started it
     * @param mustEnd the process must not run without the mesh
     */
    record Outcome(String message, boolean mustEnd) {}

    private Agent() {}

    /** @param fromStart no class of the app is loaded yet */
    static Outcome start(String argument, Instrumentation instrumentation, boolean fromStart) {
        List<InstrumentationModule> modules = Modules.all();
        SettingsReader.Outcome read = SettingsReader.read(System.getProperties(), System.getenv(), argument, names(modules));
        if (read instanceof SettingsReader.Invalid invalid) {
            return refuse(invalid);
        }
        Settings settings = ((SettingsReader.Valid) read).settings();
        if (!settings.enabled()) {
            return new Outcome("not started: weft.enabled is false", false);
        }
        AgentLog log = log(settings.log());
        for (String warning : read.warnings()) {
            log.warn(warning);
        }
        if (settings.controlPlane().isEmpty()) {
            return withoutControlPlane(settings, log);
        }
        if (BridgeDefinition.isDefined()) {
            log.warn("the agent runs in this JVM already; it is not started again");
            return new Outcome("not started: the agent runs in it already", false);
        }
        try {
            BridgeDefinition.define(instrumentation);
            Lifecycle lifecycle = Wiring.connect(settings, new ServicePorts(settings, fromStart), fromStart ? Set.of() : BoundPorts.numbers(),
                    enabled(modules, settings.disabledModules()), instrumentation, log);
            List<String> message = new ArrayList<>(List.of(OnAttach.STARTED + ", control plane " + settings.controlPlane().get().uri()
                    + (fromStart ? "" : lifecycle.connection(settings.startupWait()))));
            message.addAll(read.warnings());
            return new Outcome(String.join("; ", message), false);
        } catch (Throwable fault) {
            log.faultOnce("start", settings.required()
                    ? "cannot start, and weft.required is true" : "cannot start, the app runs without the mesh", fault);
            return new Outcome("not started: " + fault, settings.required());
        }
    }

    private static Outcome withoutControlPlane(Settings settings, AgentLog log) {
        String message = "no control plane is configured: set weft.control-plane or WEFT_CONTROL_PLANE";
        if (settings.required()) {
            log.error(message + "; weft.required is true: the process ends");
        } else {
            log.info(AgentVersion.get() + ": " + message + "; the app runs without the mesh");
        }
        return new Outcome("not started: " + message, settings.required());
    }

    private static Outcome refuse(SettingsReader.Invalid invalid) {
        // The log's own settings may be among the invalid ones.
        AgentLog log = AgentLog.toStderr(AgentLog.Level.INFO);
        for (String warning : invalid.warnings()) {
            log.warn(warning);
        }
        for (String problem : invalid.problems()) {
            log.error("invalid setting: " + problem);
        }
        log.error(invalid.required()
                ? "weft.required is true: the process ends"
                : "the app runs without the mesh until this is put right; java -jar weft-agent.jar --help lists the settings");
        return new Outcome("not started: invalid setting: " + String.join("; ", invalid.problems()), invalid.required());
    }

    private static AgentLog log(Settings.Log settings) {
        if (settings.file().isPresent()) {
            try {
                return AgentLog.toFile(settings.level(), new File(settings.file().get()));
            } catch (IOException unwritable) {
                AgentLog log = AgentLog.toStderr(settings.level());
                log.warn("cannot write to weft.log.file " + settings.file().get() + " (" + unwritable.getMessage()
                        + "); the log goes to stderr");
                return log;
            }
        }
        return AgentLog.toStderr(settings.level());
    }

    static Set<String> names(List<InstrumentationModule> modules) {
        Set<String> names = new TreeSet<>();
        for (InstrumentationModule module : modules) {
            names.add(module.name());
        }
        return names;
    }

    private static List<InstrumentationModule> enabled(List<InstrumentationModule> modules, Set<String> disabled) {
        List<InstrumentationModule> enabled = new ArrayList<>();
        for (InstrumentationModule module : modules) {
            if (!disabled.contains(module.name())) {
                enabled.add(module);
            }
        }
        return enabled;
    }
}
