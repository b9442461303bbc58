package io.weft.dataplane;

/** The HTTP filters of the inbound listener, as the route has them. */
final class FilterInbound extends ServerLayer {

    FilterInbound(ServerLayer inner) {
        super(inner);
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
                boolean served = inner.request(exchange);
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
        inner.response(exchange, status, headers);
        exchange.filterResponse(status, headers);
    }

    @Override
    void end(InboundExchange exchange) {
        inner.end(exchange);
        exchange.endFilters();
    }
}
