package io.weft.instrumentation.undertow;

import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * WildFly's {@code undertow} subsystem, for one thing that Undertow does not know: which port a listener got that is on port 0. Everything else of it is
 * {@link UndertowModule}'s. WildFly's classes have another loader than Undertow's, and so an adapter of their own.
 */
public final class WildFlyModule {
    static final String LISTENING = "listening";
    static final String STOP_LISTENING = "stop-listening";

    /** Among what WildFly writes down of a listener: the address that it is bound to, for {@link UndertowModule}. */
    static final String BOUND = "weft.bound";

    static final String LISTENER = "org.wildfly.extension.undertow.HttpListenerService";
    static final String TLS_LISTENER = "org.wildfly.extension.undertow.HttpsListenerService";

    private static final String START = "(Lorg/xnio/XnioWorker;Ljava/net/InetSocketAddress;Lorg/xnio/ChannelListener;)V";

    private WildFlyModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "wildfly",
                "tested: 26.1 and 35; for listeners on port 0",
                "io.weft.instrumentation.undertow.WildFlyAdapter",
                List.of(),
                List.of(
                        result(LISTENING, LISTENER, "startListening", START),
                        result(LISTENING, TLS_LISTENER, "startListening", START),
                        around(STOP_LISTENING, LISTENER, "stopListening", "()V"),
                        around(STOP_LISTENING, TLS_LISTENER, "stopListening", "()V")))
                .released(Releases.of(List.of("org.wildfly:wildfly-undertow"), "26.1", "35"));
    }
}
