package io.weft.dataplane;

/** Sends copies of the request where the route says so, once, as soon as all of it is ready. */
final class SendToMirrors extends ClientLayer {
    private final Mirroring mirroring;

    SendToMirrors(Mirroring mirroring, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.CONNECTED);
        this.mirroring = mirroring;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.mirrors != null && exchange.isComplete()) {
            send(exchange);
        }
        return innerAttempt.attempt(exchange);
    }

    /** By now at the latest the library has its headers together, and what it has of a body that it does not stream. */
    @Override
    void connected(Exchange exchange) {
        if (exchange.mirrors != null) {
            send(exchange);
        }
        innerConnected.connected(exchange);
    }

    private void send(Exchange exchange) {
        DueMirrors due = exchange.mirrors;
        exchange.mirrors = null;
        mirroring.mirror(exchange, due);
    }
}
