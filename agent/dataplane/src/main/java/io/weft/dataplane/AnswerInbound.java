package io.weft.dataplane;

import io.weft.dataplane.route.RouteEntry.Answer;

/** Answers where the route says so or where there is none; otherwise changes the headers as the route says. */
final class AnswerInbound extends ServerLayer {
    private static final LocalReply NO_ROUTE = LocalReply.of(404, "");

    AnswerInbound(ServerLayer inner) {
        super(inner);
    }

    @Override
    boolean request(InboundExchange exchange) {
        if (exchange.claimed && exchange.destination == null && !exchange.unroutable) {
            exchange.reply = exchange.route instanceof Answer answer ? answer.reply(exchange.head()) : NO_ROUTE;
            return false;
        }
        if (exchange.destination != null) {
            exchange.requestChanges = exchange.withFilters(exchange.destination.requestChanges(exchange.head()));
            exchange.responseChanges = exchange.routeResponseChanges();
        }
        return inner.request(exchange);
    }
}
