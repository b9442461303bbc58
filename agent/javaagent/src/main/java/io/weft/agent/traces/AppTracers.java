package io.weft.agent.traces;

import io.weft.agent.link.Slots;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookIndex.ClassHooks;
import io.weft.agent.weave.HookTransformer;
import io.weft.agent.weave.Weaver;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.List;

/**
 * Finds out whether the app has a tracer of its own, in it or by another agent: each of them has one class that it makes its spans with, and
 * has a tracer once it has made an object of that. That the class is there, or even loaded, says nothing yet; but of one that was
 * loaded before this looks, nobody knows whether there are objects, and it counts.
 */
public record AppTracers(Instrumentation instrumentation, Slots slots, AgentLog log, Mesh mesh) implements Runnable {

    /** A class of its own, which is loaded when somebody looks. */
    private static final class Tracers {
        static final List<Hook> MADE = List.of(
            // OpenTelemetry's SDK, also that of its agent.
            made("io.opentelemetry.sdk.trace.SdkTracerProvider"),
            // Brave, so Zipkin, and Micrometer's bridge to it.
            made("brave.Tracing"),
            made("datadog.trace.core.CoreTracer"),
            made("co.elastic.apm.agent.impl.ElasticApmTracer"));

        private static Hook made(String className) {
            return Hook.result("tracer", className, "<init>", "");
        }
    }

    /** Once; the mesh is told, on any thread, maybe more than once. */
    @Override
    public void run() {
        HookIndex index = new HookIndex(List.of(new InstrumentationModule("app-tracers", "", "", List.of(), Tracers.MADE)));
        HookTransformer.Engine engine = new HookTransformer.Engine() {
            @Override
            public byte[] weave(ClassLoader loader, String name, ProtectionDomain domain, byte[] classFile, List<ClassHooks> hooks) {
                String className = name.replace('/', '.');
                int slot = slots.add("app-tracers", (Handler.Result) (self, result, a0, a1, a2) -> {
                    mesh.appTraces(className);
                    return result;
                });
                return new Weaver().weave(classFile, hooks.get(0).hooks(), method -> slot).classFile();
            }
        };
        instrumentation.addTransformer(new HookTransformer(index, engine, log));
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (index.in(loaded.getName().replace('.', '/')) != null) {
                mesh.appTraces(loaded.getName() + ", loaded before");
            }
        }
    }
}
