package io.weft.agent.traces;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.Set;

/**
 * Finds out whether the app has a tracer of its own, in it or by another agent, by the class that each of them makes its spans with. Changes
 * no class.
 */
public final class AppTracers implements ClassFileTransformer {
    private static final Set<String> CLASSES = Set.of(
            // OpenTelemetry's SDK, also that of its agent.
            "io/opentelemetry/sdk/trace/SdkTracerProvider",
            // Brave, so Zipkin, and Micrometer's bridge to it.
            "brave/Tracing",
            "datadog/trace/core/CoreTracer",
            "co/elastic/apm/agent/impl/ElasticApmTracer");

    private final Runnable found;

    private AppTracers(Runnable found) {
        this.found = found;
    }

    /** @param found on any thread, under whatever locks its class loaders hold: must not block; maybe more than once */
    public static void watch(Instrumentation instrumentation, Runnable found) {
        instrumentation.addTransformer(new AppTracers(found));
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (CLASSES.contains(loaded.getName().replace('.', '/'))) {
                found.run();
            }
        }
    }

    @Override
    public byte[] transform(Module module, ClassLoader loader, String internalName, Class<?> redefined, ProtectionDomain domain,
            byte[] classFile) {
        if (internalName != null && CLASSES.contains(internalName)) {
            found.run();
        }
        return null;
    }
}
