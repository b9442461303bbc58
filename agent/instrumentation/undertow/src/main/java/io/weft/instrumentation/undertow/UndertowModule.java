package io.weft.instrumentation.undertow;

import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.InstrumentationModule;
import java.util.List;

/** Undertow. Not a member of the mesh yet; but where policy demands what that would take, it does not serve. */
public final class UndertowModule {
    static final String STARTED = "started";
    static final String ACCEPTED = "accepted";
    static final String STOP = "stop";

    private static final String UNDERTOW = "io.undertow.Undertow";

    private UndertowModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "undertow",
                "2, kept from serving where it cannot be secured",
                "io.weft.instrumentation.undertow.UndertowAdapter",
                List.of(),
                List.of(
                        result(STARTED, UNDERTOW, "start", "()V"),
                        around(STOP, UNDERTOW, "stop", "()V"),
                        around(ACCEPTED, "io.undertow.server.protocol.http.HttpOpenListener", "handleEvent",
                                "(Lorg/xnio/StreamConnection;)V")));
    }
}
