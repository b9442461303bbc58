package io.weft.dataplane;

import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.RouteEntry.Answer;
import io.weft.dataplane.route.RouteEntry.Forward;

/** Answers where the route says so or where there is none; otherwise changes the headers as the route says. */
final class AnswerInbound extends ServerLayer {
    private static final LocalReply NO_ROUTE = LocalReply.of(404, "");

    AnswerInbound(ServerLayer inner) {
        super(inner, Phase.REQUEST, Phase.RESPONSE);
    }

    @Override
    boolean request(InboundExchange exchange) {
        if (exchange.claimed && exchange.destination == null && !exchange.unroutable) {
            exchange.reply = reply(exchange);
            return false;
        }
        if (exchange.unroutable) {
            exchange.sends(exchange.withFilters(RequestChanges.NONE));
        }
        if (exchange.destination != null) {
            exchange.sends(exchange.withFilters(exchange.destination.requestChanges(exchange.head(), exchange)));
            if (((Forward) exchange.route).sendsAttemptCount()) {
                exchange.requestChanges = exchange.requestChanges.andSet(RequestChanges.ATTEMPT_COUNT, "1");
            }
        }
        return innerRequest.request(exchange);
    }

    private static LocalReply reply(InboundExchange exchange) {
        if (exchange.route instanceof Answer answer) {
            exchange.responseCodeDetails = "direct_response";
            return answer.reply(exchange.head(), exchange);
        }
        exchange.flag(ResponseFlag.NR, "route_not_found");
        return NO_ROUTE;
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        innerResponse.response(exchange, status, headers);
        exchange.responseCodeDetails = "via_upstream";
        ResponseChanges changes = exchange.routeResponseChanges(headers);
        if (exchange.responseChanges != changes) {
            exchange.responseChanges = changes;
        }
    }
}
