package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.ResponseChanges;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.ActionCode;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.tomcat.util.net.SocketEvent;

/** Between coyote and catalina: what becomes of a request before the app sees it, and of the head of its response. */
final class Admission {
    private final Internals internals;
    private final ConnectorPorts ports;
    private final Connections connections;

    Admission(Internals internals, ConnectorPorts ports, Connections connections) {
        this.internals = internals;
        this.connections = connections;
        this.ports = ports;
    }

    /** In the place of {@code CoyoteAdapter.service}. */
    Object service(CoyoteAdapter adapter, Request request, Response response) {
        try {
            IncomingRequest incoming = InFlight.peek(request);
            if (incoming == null || !incoming.isWaiting()) {
                Connector connector = internals.connector(adapter);
                Inbound.Port port = ports.of(connector);
                if (port == null) {
                    return beside(connector, response);
                }
                incoming = InFlight.start(internals, connections, request, port);
                if (incoming == null || !incoming.claimed()) {
                    return Handler.PROCEED;
                }
            }
            incoming.waits(null);
            switch (incoming.next()) {
                case WAIT -> Wait.begin(incoming);
                case REPLY -> new OutgoingResponse(response).send(incoming.reply());
                case CLOSE -> response.action(ActionCode.CLOSE_NOW, null);
                case PROCEED -> {
                    incoming.handOver();
                    return Handler.PROCEED;
                }
            }
            return null;
        } catch (Throwable fault) {
            // Without the agent's word the app would be called: what was refused must not reach it because the caller is gone.
            return new Handler.Thrown(fault instanceof IOException ? fault : new IOException("the request cannot be decided", fault));
        }
    }

    private Object beside(Connector connector, Response response) {
        try {
            if (ports.admitsBeside(connector)) {
                return Handler.PROCEED;
            }
            response.action(ActionCode.CLOSE_NOW, null);
            return null;
        } catch (Throwable fault) {
            // Without the agent's word the app would be called.
            return new Handler.Thrown(new IOException("the request cannot be decided about", fault));
        }
    }

    /** In the place of {@code CoyoteAdapter.asyncDispatch}, which also tells the end of a wait. */
    Object dispatch(CoyoteAdapter adapter, Request request, Response response, SocketEvent event) {
        IncomingRequest incoming = InFlight.peek(request);
        if (incoming == null || !incoming.isWaiting()) {
            return Handler.PROCEED;
        }
        if (event != SocketEvent.OPEN_READ) {
            // the caller went away
            return false;
        }
        try {
            request.action(ActionCode.ASYNC_DISPATCHED, null);
            adapter.service(request, response);
            return true;
        } catch (Exception e) {
            return new Handler.Thrown(e);
        }
    }

    /** Before a head is written. */
    void responseHead(IncomingRequest incoming) {
        Response response = incoming.request().getResponse();
        if (!incoming.isAnsweredByApp(response.getStatus())) {
            return;
        }
        OutgoingResponse outgoing = new OutgoingResponse(response);
        incoming.onResponse(response.getStatus(), outgoing);
        ResponseChanges changes = incoming.responseChanges();
        if (!changes.isEmpty()) {
            outgoing.changeResponse(changes);
        }
    }
}
