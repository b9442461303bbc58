package io.weft.dataplane;

import io.weft.dataplane.ClientLayer.Phase;

/** What a request that goes out passes, outermost first. A layer is put in or taken out here and nowhere else. */
final class ClientLayers {
    final Deadlines deadlines;
    // For each phase the outermost layer that takes part in it.
    final ClientLayer attempt;
    final ClientLayer connected;
    final ClientLayer requestSent;
    final ClientLayer outcome;
    final ClientLayer release;

    ClientLayers(Deadlines deadlines, Surroundings surroundings, Mirroring mirroring) {
        this.deadlines = deadlines;
        Randomness randomness = surroundings.randomness();
        NanoClock clock = deadlines.clock();
        ClientLayer outermost =
                // First of all: what it asks for is no business of the filters', and what it is told none of the app's.
                new AskForLoad(clock,
                // Above all that follows, as in a proxy the router is the last filter: also what no route or cluster is there for goes through them.
                new RunFilters(
                // Above the rest, since the route says what every layer below is to do.
                new MatchRoute(
                // Above the retries: it takes a pause within the time that there is, and answers when there is no more.
                new Deadline(deadlines,
                // Above the choice of endpoint: a further attempt may go elsewhere.
                new Retry(surroundings.time(), randomness,
                // Above admission: a request that has no endpoint takes no place.
                new PickEndpoint(clock, randomness, surroundings.self(),
                // Below the choice, and above whether it may go: as in Envoy what has an endpoint is mirrored, whatever becomes of it.
                new SendToMirrors(mirroring,
                // Below the choice: each attempt counts for the endpoint that it went to.
                new EjectFailing(
                // Last before the wire: what is admitted is what is really under way.
                new Admit(
                // (The identity for the dial comes here, with mesh TLS.)
                // Innermost: sees each attempt as the wire shows it, and none that was refused above.
                new Observe(
                ClientLayer.DIAL))))))))));
        attempt = outermost.first(Phase.ATTEMPT);
        connected = outermost.first(Phase.CONNECTED);
        requestSent = outermost.first(Phase.REQUEST_SENT);
        outcome = outermost.first(Phase.OUTCOME);
        release = outermost.first(Phase.RELEASE);
    }

    boolean attempt(Exchange exchange) {
        return attempt.attempt(exchange);
    }

    void connected(Exchange exchange) {
        connected.connected(exchange);
    }

    void requestSent(Exchange exchange) {
        requestSent.requestSent(exchange);
    }

    void outcome(Exchange exchange) {
        outcome.outcome(exchange);
    }

    void release(Exchange exchange) {
        release.release(exchange);
    }
}
