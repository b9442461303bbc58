package io.weft.dataplane;

import io.weft.dataplane.route.RetryRule;
import io.weft.dataplane.route.TimeoutRule;

/**
 * What a request asks of the mesh for itself, by the headers that Envoy's router takes for that from an app beside it. They go no
 * further than the mesh. A header that says nothing sensible changes nothing.
 */
final class Wishes {
    private static final String[] NAMES = {
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-max-retries",
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names",
        "x-envoy-hedge-on-per-try-timeout",
    };

    private Wishes() {}

    /** Before the first attempt, and before the request's changes are made up. */
    static void take(Exchange exchange) {
        RequestHead request = exchange.head();
        exchange.retry = RetryRule.withWishes(exchange.retry, request);
        exchange.timeouts = TimeoutRule.withWishes(exchange.timeouts, request);
        String hedge = request.header("x-envoy-hedge-on-per-try-timeout");
        if ("true".equals(hedge) || "false".equals(hedge)) {
            exchange.hedge(hedge.equals("true"));
        }
        exchange.alternativeToTimeout = request.header("x-envoy-upstream-rq-timeout-alt-response") != null;
        for (String name : NAMES) {
            if (request.header(name) != null) {
                exchange.requestHeaders().remove(name);
            }
        }
    }
}
