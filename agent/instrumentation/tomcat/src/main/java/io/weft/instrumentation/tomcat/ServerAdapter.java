package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.SocketChannel;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.AbstractProcessor;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.UpgradeProtocol;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.net.Nio2Endpoint;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SendfileState;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;

/** A Tomcat that is a member of the mesh: all but the class of its channels, which has no constructor that all versions have. */
abstract class ServerAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final ConnectorPorts ports;
    private final Admission admission;
    private final Accepting accepting;
    private final Connections connections = new Connections();
    private final Nio2Accepting nio2;
    private final MeshHttp2 http2;
    private final Sendfiles sendfiles = new Sendfiles();

    ServerAdapter(AdapterContext context, MeshChannel.Maker maker) throws ReflectiveOperationException {
        this.context = context;
        internals = new Internals(context);
        ports = new ConnectorPorts(context, internals);
        admission = new Admission(internals, ports, connections);
        http2 = new MeshHttp2(context);
        accepting = new Accepting(context.inbound(), internals, http2, connections, maker);
        nio2 = new Nio2Accepting(context.inbound(), internals);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case TomcatModule.CONNECTOR_STARTED -> after((connector, nothing) -> ports.started((Connector) connector));
            case TomcatModule.CONNECTOR_RESUMED -> after((connector, nothing) -> ports.resumed((Connector) connector));
            case TomcatModule.CONNECTOR_PAUSE -> before((connector, nothing) -> ports.closed((Connector) connector));
            case TomcatModule.CONNECTOR_STOP -> before((connector, nothing) -> {
                ports.closed((Connector) connector);
                http2.forget(((Connector) connector).getProtocolHandler());
            });
            case TomcatModule.NEGOTIATED -> (Handler.Result) (protocol, found, name, a1, a2) ->
                    http2.find((AbstractHttp11Protocol<?>) protocol, (UpgradeProtocol) found, (String) name);
            case TomcatModule.ACCEPTED -> (Handler.Around) (endpoint, connection, a1, a2, a3) ->
                    accepting.accept((NioEndpoint) endpoint, (SocketChannel) connection);
            case TomcatModule.CHANNEL -> (Handler.Argument) (nothing, channel, same, endpoint, a2) ->
                    accepting.channel((NioChannel) channel, (NioEndpoint) endpoint);
            case TomcatModule.WRAPPED -> (Handler.Result) (wrapper, same, channel, endpoint, a2) -> {
                accepting.wrapped((NioEndpoint.NioSocketWrapper) wrapper);
                return same;
            };
            case TomcatModule.ACCEPTED_NIO2 -> (Handler.Around) (endpoint, connection, a1, a2, a3) ->
                    nio2.accept((Nio2Endpoint) endpoint, (AsynchronousSocketChannel) connection);
            case TomcatModule.SERVICE -> (Handler.Around) (adapter, request, response, a2, a3) ->
                    admission.service((CoyoteAdapter) adapter, (Request) request, (Response) response);
            case TomcatModule.ASYNC_DISPATCH -> (Handler.Around) (adapter, request, response, event, a3) ->
                    admission.dispatch((CoyoteAdapter) adapter, (Request) request, (Response) response, (SocketEvent) event);
            case TomcatModule.REQUEST_COUNTED, TomcatModule.REQUEST_RECYCLED ->
                    before((request, nothing) -> InFlight.end((Request) request));
            case TomcatModule.RESPONSE_HEAD -> before((processor, nothing) -> responseHead((Http11Processor) processor));
            case TomcatModule.STREAM_HEAD -> streamHead();
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
                    before((connection, nothing) -> {
                        sendfiles.ended((SocketWrapperBase<?>) connection);
                        connections.closed((SocketWrapperBase<?>) connection);
                    });
            case TomcatModule.STREAM_ENDED, TomcatModule.STREAM_RESET -> stream(hook);
            case TomcatModule.STREAM_HEADER -> streamHeader();
            default -> throw new IllegalArgumentException(hook);
        };
    }

    private void responseHead(Http11Processor processor) {
        IncomingRequest incoming = InFlight.peek(processor.getRequest());
        if (incoming == null) {
            return;
        }
        admission.responseHead(incoming);
        // Not by setting the header: Tomcat would then no longer chunk, and the response would be other than without the agent.
        if (incoming.draining() && incoming.request().getResponse().getStatus() >= 200) {
            internals.closeAfterResponse(processor);
        }
    }

    private Handler streamHead() {
        Http2Streams streams;
        try {
            streams = new Http2Streams(context);
        } catch (ReflectiveOperationException e) {
            context.warn("Tomcat: HTTP/2 connections that have to go are not told so before they are closed: " + e);
            return before((processor, nothing) -> streamHead((AbstractProcessor) processor));
        }
        return before((processor, nothing) -> {
            IncomingRequest incoming = streamHead((AbstractProcessor) processor);
            if (incoming != null && incoming.goesAway()) {
                streams.lastOfConnection(processor);
            }
        });
    }

    /** @return null: nobody knows of it */
    private IncomingRequest streamHead(AbstractProcessor stream) {
        IncomingRequest incoming = InFlight.peek(stream.getRequest());
        if (incoming != null) {
            admission.responseHead(incoming);
        }
        return incoming;
    }

    private void keepForSendfile(Http11Processor processor) {
        if (internals.sendsFile(processor)) {
            IncomingRequest incoming = InFlight.take(processor.getRequest());
            if (incoming != null) {
                sendfiles.started(internals.connection(processor), incoming);
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

    /**
     * A sidecar may say that a request is for {@code https}, since it comes over TLS. Tomcat would refuse that on a connector that knows of
     * none, and the app is to see what it sees over plaintext.
     */
    private Handler streamHeader() {
        Http2Streams streams;
        try {
            streams = new Http2Streams(context);
        } catch (ReflectiveOperationException e) {
            context.warn("Tomcat: HTTP/2 requests over mesh TLS that say they are for https are refused: " + e);
            return (Handler.Argument) (stream, value, name, same, a2) -> value;
        }
        return (Handler.Argument) (stream, value, name, same, a2) ->
                "https".equals(value) && ":scheme".equals(name) && isSecured(streams.connection(stream)) ? "http" : value;
    }

    private static boolean isSecured(SocketWrapperBase<?> connection) {
        return connection.getSocket() instanceof MeshChannel mesh && mesh.isSecured();
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
