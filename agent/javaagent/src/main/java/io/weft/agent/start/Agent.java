package io.weft.agent.start;

import io.weft.agent.log.AgentLog;
import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
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

    enum Start { STARTED, LEFT_ALONE, REFUSED, REFUSED_AND_REQUIRED }

    private Agent() {}

    static Start start(String argument, Instrumentation instrumentation) {
        List<InstrumentationModule> modules = Modules.all();
        SettingsReader.Outcome outcome = SettingsReader.read(System.getProperties(), System.getenv(), argument, names(modules));
        if (outcome instanceof SettingsReader.Invalid invalid) {
            return refuse(invalid);
        }
        Settings settings = ((SettingsReader.Valid) outcome).settings();
        if (!settings.enabled()) {
            return Start.LEFT_ALONE;
        }
        AgentLog log = log(settings.log());
        for (String warning : outcome.warnings()) {
            log.warn(warning);
        }
        if (settings.controlPlane().isEmpty()) {
            log.info(AgentVersion.get() + ": no control plane is configured, the app runs without the mesh; set "
                    + "weft.control-plane or WEFT_CONTROL_PLANE");
            return Start.LEFT_ALONE;
        }
        try {
            BridgeDefinition.define(instrumentation);
            Wiring.connect(settings, enabled(modules, settings.disabledModules()), instrumentation, log);
            return Start.STARTED;
        } catch (Throwable fault) {
            log.faultOnce("start", settings.required()
                    ? "cannot start, and weft.required is true" : "cannot start, the app runs without the mesh", fault);
            return settings.required() ? Start.REFUSED_AND_REQUIRED : Start.REFUSED;
        }
    }

    private static Start refuse(SettingsReader.Invalid invalid) {
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
        return invalid.required() ? Start.REFUSED_AND_REQUIRED : Start.REFUSED;
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
