package io.weft.dataplane;

import io.weft.dataplane.ClientLayer.Phase;
import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.metrics.RequestMetrics;

/** What a request that goes out passes, outermost first. A layer is put in or taken out here and nowhere else. */
final class ClientLayers {
    final Deadlines deadlines;
    final Notices.Relay notices;
    // For each phase the outermost layer that takes part in it.
    final ClientLayer attempt;
    final ClientLayer connected;
    final ClientLayer requestSent;
    final ClientLayer outcome;
    final ClientLayer brokeOff;
    final ClientLayer release;

    private final Hedge hedge;
    private final ClientLayers hedged;
    private final ClientLayers further;
    private final ClientLayers mirrored;

    /**
     * @param further null: what these are for has no further attempts beside it
     * @param mirrored null: what these are for is not mirrored by itself
     */
    private ClientLayers(Hedge hedge, ClientLayer outermost, ClientLayers hedged, ClientLayers further, ClientLayers mirrored) {
        deadlines = hedge.deadlines;
        notices = hedge.notices;
        this.hedge = hedge;
        this.hedged = hedged;
        this.further = further;
        this.mirrored = mirrored;
        attempt = outermost.first(Phase.ATTEMPT);
        connected = outermost.first(Phase.CONNECTED);
        requestSent = outermost.first(Phase.REQUEST_SENT);
        outcome = outermost.first(Phase.OUTCOME);
        brokeOff = outermost.first(Phase.BROKE_OFF);
        release = outermost.first(Phase.RELEASE);
    }

    static ClientLayers of(Deadlines deadlines, Surroundings surroundings, Mirroring mirroring, RequestMetrics metrics, Telling telling,
            Notices.Relay notices) {
        Randomness randomness = surroundings.randomness();
        NanoClock clock = deadlines.clock();
        ClientLayer attempts =
                // Above the retries: it takes a pause within the time that there is, and answers when there is no more.
                new Deadline(deadlines,
                // Above the choice of endpoint: a further attempt may go elsewhere.
                new Retry(surroundings.time(), randomness,
                // Below the retries: each attempt is a span. Above all that may refuse one: that is one, too.
                TraceAttempts.over(telling,
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
                ClientLayer.DIAL))))))));
        // Above the time limits and the retries, whose last word counts or does not; the requests that are not hedged know nothing of it.
        Hedge hedge = new Hedge(deadlines, randomness, notices, attempts);
        // An attempt beside another has passed the filters with that one.
        ClientLayers further = new ClientLayers(hedge, new MatchRoute(hedge), null, null, null);
        ClientLayer decided = decided(clock, telling, attempts);
        // Without a measure: the app has sent one request, however many copies of it there are.
        ClientLayers mirrored = new ClientLayers(hedge, decided, null, null, null);
        ClientLayers hedged = new ClientLayers(hedge, measured(metrics, decided(clock, telling, hedge)), null, further, null);
        return new ClientLayers(hedge, measured(metrics, decided), hedged, null, mirrored);
    }

    private static ClientLayer measured(RequestMetrics metrics, ClientLayer decided) {
        // Outermost: how long a request takes and what becomes of it is for all of it.
        return new Measure(metrics, decided);
    }

    private static ClientLayer decided(NanoClock clock, Telling telling, ClientLayer attempts) {
        return
                // Above all that decides: it tells what they decided.
                TellDecision.over(telling,
                // First of all that act: what it asks for is no business of the filters', and what it is told none of the app's.
                new AskForLoad(clock,
                // Above all that may answer before there is an attempt: that is a span, too.
                TraceAnswers.over(telling,
                // Above all that follows, as in a proxy the router is the last filter: also what no route or cluster is there for goes through them.
                new RunFilters(
                // Above the rest, since the route says what every layer below is to do.
                new MatchRoute(
                attempts)))));
    }

    /** For a request whose attempts may begin beside each other. */
    ClientLayers hedged() {
        return hedged == null ? this : hedged;
    }

    /** For another attempt beside one that takes too long. */
    ClientLayers further() {
        return further == null ? this : further;
    }

    /** For a copy of a request on its way to a mirror. */
    ClientLayers mirrored() {
        return mirrored == null ? this : mirrored;
    }

    /** @see Hedge#outlasts */
    boolean outlasts(Exchange exchange) {
        return hedge.outlasts(exchange);
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

    void brokeOff(Exchange exchange, Failure failure) {
        brokeOff.brokeOff(exchange, failure);
    }

    void release(Exchange exchange) {
        release.release(exchange);
    }
}
