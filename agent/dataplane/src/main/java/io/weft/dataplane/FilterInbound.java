package io.weft.dataplane;

/** The HTTP filters of the inbound listener, as the route has them. */
final class FilterInbound extends ServerLayer {

    FilterInbound(ServerLayer inner) {
        super(inner, Phase.REQUEST, Phase.RESPONSE, Phase.END);
    }

    @Override
    boolean request(InboundExchange exchange) {
        switch (exchange.filterRequest()) {
            case DELAY -> {
                exchange.waiting = true;
                return false;
            }
            case REPLY -> {
                answer(exchange);
                return false;
            }
            case CLOSE -> {
                exchange.closing = true;
                return false;
            }
            default -> {
                boolean served = innerRequest.request(exchange);
                if (!served) {
                    answer(exchange);
                }
                return served;
            }
        }
    }

    private static void answer(InboundExchange exchange) {
        exchange.responseChanges = exchange.replyChanges();
        exchange.filterReply();
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        innerResponse.response(exchange, status, headers);
        exchange.filterResponse(status, headers);
    }

    @Override
    void end(InboundExchange exchange) {
        innerEnd.end(exchange);
        exchange.endFilters();
    }
}
