package io.weft.agent.start;

import io.weft.agent.link.Attachments;
import io.weft.agent.link.BridgeDispatcher;
import io.weft.agent.link.LibraryCheck;
import io.weft.agent.link.Linker;
import io.weft.agent.link.ModuleOpener;
import io.weft.agent.link.Slots;
import io.weft.agent.link.WeavingEngine;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Announcement;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.ServicePorts;
import io.weft.agent.metrics.MetricsPushes;
import io.weft.agent.settings.Settings;
import io.weft.agent.status.AdminPages;
import io.weft.agent.status.OpenPorts;
import io.weft.agent.traces.AppTracers;
import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookTransformer;
import io.weft.agent.weave.LoadedClasses;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.instrument.Instrumentation;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;

/** Puts the parts of the agent together. A class of its own because it links to the bridge, which must be defined before. */
final class Wiring {
    private Wiring() {}

    /** @return what goes on from here, started */
    static Lifecycle connect(
            Settings settings, ServicePorts ports, Set<Integer> boundBefore, List<InstrumentationModule> modules,
            Instrumentation instrumentation, AgentLog log) {
        ClassLoader loader = Wiring.class.getClassLoader();
        Slots slots = new Slots();
        WeftBridge.install(new BridgeDispatcher(slots, log));

        HookIndex index = new HookIndex(modules);
        Background background = new Background(log);
        Mesh mesh = new Mesh(settings, ports, background, log);
        Lifecycle lifecycle = new Lifecycle(background, new LoadedClasses(instrumentation, index, log), mesh,
                new ShutdownWeaving(instrumentation, slots, log), new HelloWeaving(instrumentation, slots, log),
                new Announcement(settings, mesh, background, log), log);
        Attachments attachments = new Attachments(slots, new LibraryCheck(loader), lifecycle, log);
        AppTracers appTracers = new AppTracers(instrumentation, slots, log, mesh);
        OpenPorts open = new OpenPorts(settings, ports, boundBefore, mesh::hasIdentity);
        lifecycle.shows(new AdminPages(settings, mesh, attachments, open, InstantSource.system()), open,
                new MetricsPushes(settings, mesh, instrumentation, slots, background, log), appTracers);
        Linker linker = new Linker(loader, new ModuleOpener(instrumentation), mesh, log);
        instrumentation.addTransformer(new HookTransformer(index, new WeavingEngine(attachments, slots, linker), log), true);
        if (settings.otlp().isPresent()) {
            appTracers.run();
        }
        lifecycle.started();
        return lifecycle;
    }
}
