package io.weft.dataplane;

import io.weft.dataplane.ServerLayer.Phase;
import io.weft.dataplane.load.LoadMeter;
import io.weft.dataplane.metrics.RequestMetrics;
import java.util.function.Supplier;

/** What a request that comes in passes, outermost first. A layer is put in or taken out here and nowhere else. */
final class ServerLayers {
    // For each phase the outermost layer that takes part in it.
    final ServerLayer enter;
    final ServerLayer request;
    final ServerLayer response;
    final ServerLayer end;

    private final Drain drain;
    private final Timers timers;

    /** @param policy gives null before the first */
    ServerLayers(
            Supplier<Policy> policy, Surroundings surroundings, Drain drain, RequestMetrics metrics, Telling telling, LoadMeter load,
            InboundConnections connections) {
        this.drain = drain;
        timers = surroundings.timers();
        ServerLayer outermost =
                // (The peer's identity is known before: it is the connection's.)
                // Above all that may refuse: a refusal too is to be sent before the process goes.
                new DrainGate(drain,
                // Above all that decides: how long a request takes and what becomes of it is for all of it.
                new MeasureInbound(metrics,
                // Above all that decides: it tells what they decided.
                TellDecisionInbound.over(telling, surroundings.randomness(),
                // Above the route: what it changes in responses does not concern a report, and without a policy there is one, too.
                new ReportLoad(load,
                // Above the filters: the route says which they are.
                new MatchInbound(policy, surroundings, connections,
                // In the order of the listener, as in a proxy: what is forbidden costs no token, what is limited is not delayed.
                new FilterInbound(
                // Below the filters: a request without a route goes through them, too.
                new AnswerInbound(
                // Below the route, whose changes to headers come first: the app is to hear of this span, whatever they say.
                TraceInbound.over(telling,
                ServerLayer.APP))))))));
        enter = outermost.first(Phase.ENTER);
        request = outermost.first(Phase.REQUEST);
        response = outermost.first(Phase.RESPONSE);
        end = outermost.first(Phase.END);
    }

    Timers timers() {
        return timers;
    }

    boolean draining() {
        return drain.begun();
    }

    boolean callersTold() {
        return drain.callersTold();
    }

    void enter(InboundExchange exchange) {
        enter.enter(exchange);
    }

    boolean request(InboundExchange exchange) {
        return request.request(exchange);
    }

    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        response.response(exchange, status, headers);
    }

    void end(InboundExchange exchange) {
        end.end(exchange);
    }
}
