package io.weft.agent.start;

import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import java.util.Set;

/**
 * Puts the bridge into {@code java.lang} of the running JVM, by public API: {@code java.lang} is opened to the agent's module, and
 * a look-up defines the classes there. The boot class path is not appended to: that costs the app its class-data sharing
 * and prints a warning.
 */
final class BridgeDefinition {
    /** The nested class first: the outer one links to it. */
    private static final String[] CLASSES = {"java/lang/WeftBridge$Thrown.class", "java/lang/WeftBridge.class"};

    private BridgeDefinition() {}

    /** Whether an agent runs in this JVM, this copy or another. */
    static boolean isDefined() {
        try {
            Class.forName("java.lang.WeftBridge", false, null);
            return true;
        } catch (ClassNotFoundException none) {
            return false;
        }
    }

    /** @throws LinkageError when this JVM has a bridge already */
    static void define(Instrumentation instrumentation) throws IllegalAccessException, IOException {
        instrumentation.redefineModule(Object.class.getModule(), Set.of(), Map.of(),
                Map.of("java.lang", Set.of(BridgeDefinition.class.getModule())), Set.of(), Map.of());
        MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(Object.class, MethodHandles.lookup());
        for (String name : CLASSES) {
            try (InputStream in = BridgeDefinition.class.getClassLoader().getResourceAsStream(name)) {
                lookup.defineClass(in.readAllBytes());
            }
        }
    }
}
