package io.weft.dataplane;

import io.weft.dataplane.format.ResponseFlag;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** The cluster's circuit breakers: beyond a limit of its priority a request is answered at once, as Envoy does. */
final class Admit extends ClientLayer {
    private static final LocalReply OVERLOADED = overloaded();

    Admit(ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.RELEASE);
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.host.active() > exchange.cluster.maxRequestsPerHost(exchange.priority)) {
            exchange.cluster.state().overflowed();
            exchange.flag(ResponseFlag.UO, "upstream_reset_before_response_started{overflow}");
            exchange.reply = OVERLOADED;
            return false;
        }
        if (!exchange.cluster.state().startRequest(exchange.priority, exchange.cluster.maxRequests(exchange.priority))) {
            exchange.flag(ResponseFlag.UO, "upstream_reset_before_response_started{overflow}");
            exchange.reply = OVERLOADED;
            return false;
        }
        exchange.admitted = true;
        return innerAttempt.attempt(exchange);
    }

    @Override
    void release(Exchange exchange) {
        innerRelease.release(exchange);
        if (exchange.admitted) {
            exchange.admitted = false;
            exchange.cluster.state().requestEnded(exchange.priority);
        }
    }

    private static LocalReply overloaded() {
        byte[] body = "upstream connect error or disconnect/reset before headers. reset reason: overflow"
                .getBytes(StandardCharsets.US_ASCII);
        return new LocalReply(
                503,
                List.of(
                        Map.entry("x-envoy-overloaded", "true"),
                        Map.entry("content-length", Integer.toString(body.length)),
                        Map.entry("content-type", "text/plain")),
                body);
    }
}
