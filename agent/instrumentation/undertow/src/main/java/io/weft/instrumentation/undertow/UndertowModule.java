package io.weft.instrumentation.undertow;

import static io.weft.instrumentation.Hook.around;
import static io.weft.instrumentation.Hook.result;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Undertow, embedded or in WildFly.
 *
 * <p>The seams: an {@code Undertow}'s listeners are its ports, and so is what WildFly puts down in Undertow's registry of listeners before it
 * binds it; of one on port 0 it is {@link WildFlyModule} that writes down which it got. Where a listener opens an accepted connection, conduits of the mesh's are put below every other one, so that Undertow's own and
 * the app's see plaintext. A request is decided where a connector hands it to the root handler, in front of every handler of the app's; what
 * it is told of its response and of its end it is by listeners of the exchange.
 *
 * <p>A version that does not fit is not a member of the mesh; but where policy demands what that would take, it does not serve.
 */
public final class UndertowModule {
    static final String STARTED = "started";
    static final String STOP = "stop";
    static final String REGISTERED = "registered";
    static final String UNREGISTERED = "unregistered";
    static final String WRITTEN_DOWN = "written-down";
    static final String OPENED = "opened";
    static final String HANDLE = "handle";
    static final String HTTP2 = "http2";
    static final String LAST_FRAME = "last-frame";

    private static final String UNDERTOW = "io.undertow.Undertow";
    private static final String REGISTRY = "io.undertow.server.ListenerRegistry";
    private static final String PROTOCOL = "io.undertow.server.protocol.";

    private UndertowModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "undertow",
                "2.2 to 2.4; others are kept from serving where they cannot be secured",
                List.of("io.weft.instrumentation.undertow.UndertowAdapter", "io.weft.instrumentation.undertow.GuardedUndertowAdapter"),
                List.of(),
                List.of(
                        result(STARTED, UNDERTOW, "start", "()V"),
                        around(STOP, UNDERTOW, "stop", "()V"),
                        result(REGISTERED, REGISTRY, "addListener", "(L" + REGISTRY.replace('.', '/') + "$Listener;)V").whenPresent(),
                        result(WRITTEN_DOWN, REGISTRY + "$Listener", "setContextInformation",
                                "(Ljava/lang/String;Ljava/lang/Object;)Ljava/lang/Object;").whenPresent(),
                        around(UNREGISTERED, REGISTRY, "removeListener", "(Ljava/lang/String;)V").whenPresent(),
                        opened("http.HttpOpenListener"),
                        opened("http.AlpnOpenListener"),
                        opened("proxy.ProxyProtocolOpenListener"),
                        opened("ajp.AjpOpenListener"),
                        around(HANDLE, "io.undertow.server.Connectors", "executeRootHandler",
                                "(Lio/undertow/server/HttpHandler;Lio/undertow/server/HttpServerExchange;)V").whenPresent(),
                        result(HTTP2, "io.undertow.protocols.http2.Http2Channel", "<init>",
                                "(Lorg/xnio/StreamConnection;Ljava/lang/String;Lio/undertow/connector/ByteBufferPool;"
                                        + "Lio/undertow/connector/PooledByteBuffer;ZZZLjava/nio/ByteBuffer;Lorg/xnio/OptionMap;)V").whenPresent(),
                        around(LAST_FRAME, "io.undertow.protocols.http2.Http2GoAwayStreamSinkChannel", "isLastFrame", "()Z").whenPresent()))
                .released(Releases.of(List.of("io.undertow:undertow-core"), "2.2 to 2.4"));
    }

    private static Hook opened(String listener) {
        return around(OPENED, PROTOCOL + listener, "handleEvent", "(Lorg/xnio/StreamConnection;)V")
                .whenPresent();
    }
}
