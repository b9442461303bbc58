package io.weft.agent.start;

import io.weft.agent.link.Slots;
import io.weft.agent.log.AgentLog;
import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookIndex.ClassHooks;
import io.weft.agent.weave.HookTransformer;
import io.weft.agent.weave.Weaver;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.transport.AcceptedChannel;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.security.ProtectionDomain;
import java.util.List;

/**
 * Has JSSE pass over the server name in a hello that a client of the mesh sends, on JDK 17 to 25: it ends the handshake when the name
 * is no host name, and those of Kuma and Istio are none ({@code outbound_.80_._.orders}, <code>orders{mesh=default}</code>). The mesh
 * reads the name itself, and chooses no certificate by it. The app's own TLS is left alone.
 */
final class HelloWeaving {
    private static final String CLASS = "sun.security.ssl.ServerNameExtension$CHServerNameConsumer";
    private static final Hook CONSUME = Hook.around("server-name", CLASS, "consume",
            "(Lsun/security/ssl/ConnectionContext;Lsun/security/ssl/SSLHandshake$HandshakeMessage;Ljava/nio/ByteBuffer;)V");

    private final Instrumentation instrumentation;
    private final Slots slots;
    private final AgentLog log;

    HelloWeaving(Instrumentation instrumentation, Slots slots, AgentLog log) {
        this.instrumentation = instrumentation;
        this.slots = slots;
        this.log = log;
    }

    void weave() {
        InstrumentationModule module = new InstrumentationModule("hello", "", "", List.of(), List.of(CONSUME));
        int slot = slots.add("hello", (Handler.Around) (self, a0, a1, a2, a3) ->
                AcceptedChannel.readsHello() ? null : Handler.PROCEED);
        HookTransformer.Engine engine = new HookTransformer.Engine() {
            @Override
            public byte[] weave(ClassLoader loader, String name, ProtectionDomain domain, byte[] classFile, List<ClassHooks> hooks) {
                Weaver.Woven woven = new Weaver().weave(classFile, module.hooks(), method -> slot);
                if (woven.classFile() == null) {
                    log.warn("this JDK has no " + CLASS + ".consume: clients whose SNI is no host name get no connection");
                }
                return woven.classFile();
            }
        };
        instrumentation.addTransformer(new HookTransformer(new HookIndex(List.of(module)), engine, log), true);
        try {
            instrumentation.retransformClasses(Class.forName(CLASS));
        } catch (ClassNotFoundException | UnmodifiableClassException refused) {
            log.warn("cannot instrument " + CLASS + " (" + refused + "): clients whose SNI is no host name get no connection");
        }
    }
}
