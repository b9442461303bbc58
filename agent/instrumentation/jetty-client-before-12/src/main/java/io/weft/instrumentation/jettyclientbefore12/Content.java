package io.weft.instrumentation.jettyclientbefore12;

import io.weft.dataplane.Demand;
import io.weft.dataplane.Exchange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.client.api.Response.DemandedContentListener;
import org.eclipse.jetty.util.Callback;

/** The content of a response for the listeners that the conversation has when its head is there. */
final class Content {
    private final Hop hop;
    private final Demand demanded = new Demand(0);
    private final List<DemandedContentListener> listeners = new ArrayList<>(1);

    /** Null: nobody was asked yet. */
    private Demands demands;

    Content(Hop hop) {
        this.hop = hop;
        for (Response.ResponseListener listener : hop.listeners()) {
            if (listener instanceof DemandedContentListener ofContent) {
                listeners.add(ofContent);
            }
        }
    }

    boolean isWanted() {
        return !listeners.isEmpty();
    }

    void begins(LongConsumer demand) {
        if (listeners.isEmpty()) {
            demand.accept(1);
            return;
        }
        Exchange exchange = hop.exchange();
        demands = new Demands(listeners, pieces -> {
            demanded.asks(exchange, pieces);
            demand.accept(pieces);
        });
        demanded.tells(exchange, 0);
        hop.say().notifyBeforeContent(hop.response(), demands::accept, listeners);
        demanded.told(exchange);
    }

    void comes(LongConsumer demand, ByteBuffer bytes, Callback callback) {
        if (listeners.isEmpty()) {
            callback.succeeded();
            demand.accept(1);
            return;
        }
        Exchange exchange = hop.exchange();
        demanded.tells(exchange, 1);
        hop.say().notifyContent(hop.response(), demands::accept, bytes, callback, listeners);
        demanded.told(exchange);
    }
}
