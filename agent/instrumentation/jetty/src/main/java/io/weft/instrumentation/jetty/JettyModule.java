package io.weft.instrumentation.jetty;

import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import java.util.List;

/** Jetty as a server. Not a member of the mesh yet; but where policy demands what that would take, it does not serve. */
public final class JettyModule {
    static final String OPENED = "opened";
    static final String ACCEPTED = "accepted";
    static final String CLOSE = "close";

    private static final String CONNECTOR = "org.eclipse.jetty.server.ServerConnector";

    private JettyModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "jetty",
                "9.4 to 12, kept from serving where it cannot be secured",
                "io.weft.instrumentation.jetty.JettyAdapter",
                List.of(),
                List.of(
                        result(OPENED, CONNECTOR, "open", "()V"),
                        around(ACCEPTED, CONNECTOR, "accepted", "(Ljava/nio/channels/SocketChannel;)V"),
                        around(CLOSE, CONNECTOR, "close", "()V")));
    }
}
