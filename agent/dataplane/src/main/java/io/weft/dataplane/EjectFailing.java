package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.cluster.Ejection;

/** Tells the cluster's outlier detection how the attempt went, and its health checks when the endpoint asks to be left alone. */
final class EjectFailing extends ClientLayer {

    EjectFailing(ClientLayer inner) {
        super(inner, Phase.CONNECTED, Phase.OUTCOME, Phase.BROKE_OFF);
    }

    @Override
    void connected(Exchange exchange) {
        innerConnected.connected(exchange);
        Ejection.onConnected(exchange.cluster, exchange.host);
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        if (exchange.failure != null) {
            Ejection.onFailure(exchange.cluster, exchange.host, exchange.failure);
            return;
        }
        if (!exchange.onConnection) {
            // Then nobody said so before.
            Ejection.onConnected(exchange.cluster, exchange.host);
        }
        Ejection.onResponse(exchange.cluster, exchange.host, status(exchange));
        if (exchange.cluster.checks() && exchange.responseHeaders.header("x-envoy-immediate-health-check-fail") != null) {
            exchange.cluster.failAtOnce(exchange.host);
        }
    }

    /** As in Envoy the response's head has counted before, as what it was. What the app or a limit of all attempts ends says nothing of the endpoint. */
    @Override
    void brokeOff(Exchange exchange, Failure failure) {
        innerBrokeOff.brokeOff(exchange, failure);
        if (failure == Failure.RESET || failure == Failure.REFUSED || failure == Failure.ATTEMPT_TIMEOUT) {
            Ejection.onFailure(exchange.cluster, exchange.host, failure);
        }
    }

    /** A gRPC call that failed before its first message says so in the response head. */
    private static int status(Exchange exchange) {
        if (exchange.status != 200 || !exchange.cluster.ejects()) {
            return exchange.status;
        }
        String grpcStatus = exchange.responseHeaders.header("grpc-status");
        return grpcStatus == null || !exchange.isGrpc() ? exchange.status : Grpc.httpStatus(grpcStatus);
    }
}
