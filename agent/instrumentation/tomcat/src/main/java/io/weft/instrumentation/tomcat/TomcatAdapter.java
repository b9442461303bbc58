package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.Request;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.net.SendfileState;
import org.apache.tomcat.util.net.SocketWrapperBase;

/** Compiled against Tomcat 10.1, links on 9 and 11. */
public final class TomcatAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final ConnectorPorts ports;
    private final Sendfiles sendfiles = new Sendfiles();

    public TomcatAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        internals = new Internals(context);
        ports = new ConnectorPorts(context);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case TomcatModule.CONNECTOR_STARTED -> after((connector, nothing) -> ports.started((Connector) connector));
            case TomcatModule.CONNECTOR_RESUMED -> after((connector, nothing) -> ports.resumed((Connector) connector));
            case TomcatModule.CONNECTOR_PAUSE, TomcatModule.CONNECTOR_STOP ->
                    before((connector, nothing) -> ports.closed((Connector) connector));
            case TomcatModule.REQUEST_STARTED -> before((adapter, request) -> started((CoyoteAdapter) adapter, (Request) request));
            case TomcatModule.REQUEST_COUNTED, TomcatModule.REQUEST_RECYCLED ->
                    before((request, nothing) -> InFlight.end((Request) request));
            case TomcatModule.RESPONSE_HEAD -> before((processor, nothing) -> announceDrain((Http11Processor) processor));
            case TomcatModule.RESPONSE_HEAD_DONE -> after((processor, nothing) -> keepForSendfile((Http11Processor) processor));
            case TomcatModule.SENDFILE_TRIED -> (Handler.Result) (self, state, connection, a1, a2) -> {
                sendfiles.tried((SocketWrapperBase<?>) connection, (SendfileState) state);
                return state;
            };
            case TomcatModule.SENDFILE_DATA -> before((connection, data) -> {
                if (data == null) {
                    sendfiles.ended((SocketWrapperBase<?>) connection);
                }
            });
            case TomcatModule.CONNECTION_CLOSED ->
                    before((connection, nothing) -> sendfiles.ended((SocketWrapperBase<?>) connection));
            case TomcatModule.STREAM_ENDED, TomcatModule.STREAM_RESET -> stream(hook);
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private void started(CoyoteAdapter adapter, Request request) {
        Inbound.Port port = ports.of(internals.connector(adapter));
        if (port != null) {
            InFlight.start(request, port);
        }
    }

    /** Not by setting the header: Tomcat would then no longer chunk, and the response would be other than without the agent. */
    private void announceDrain(Http11Processor processor) {
        Request request = processor.getRequest();
        Inbound.Port port = InFlight.peek(request);
        if (port != null && port.draining() && request.getResponse().getStatus() >= 200) {
            internals.closeAfterResponse(processor);
        }
    }

    private void keepForSendfile(Http11Processor processor) {
        if (internals.sendsFile(processor)) {
            Inbound.Port port = InFlight.take(processor.getRequest());
            if (port != null) {
                sendfiles.started(internals.connection(processor), port);
            }
        }
    }

    /** HTTP/2 sends a file behind the servlet's back as well, and then counts the request nowhere. */
    private Handler stream(String hook) {
        Http2Streams streams;
        try {
            streams = new Http2Streams(context);
        } catch (ReflectiveOperationException e) {
            context.warn("Tomcat: an HTTP/2 request that is answered with a file may hold up the shutdown until weft.drain.timeout: " + e);
            return before((stream, nothing) -> {});
        }
        return hook.equals(TomcatModule.STREAM_ENDED)
                ? after((output, nothing) -> InFlight.end(streams.ofOutput(output)))
                : before((stream, nothing) -> InFlight.end(streams.ofStream(stream)));
    }

    @FunctionalInterface
    private interface Observer {
        void observe(Object self, Object argument) throws Throwable;
    }

    private static Handler before(Observer observer) {
        return (Handler.Around) (self, a0, a1, a2, a3) -> {
            observer.observe(self, a0);
            return Handler.PROCEED;
        };
    }

    private static Handler after(Observer observer) {
        return (Handler.Result) (self, result, a0, a1, a2) -> {
            observer.observe(self, a0);
            return result;
        };
    }
}
