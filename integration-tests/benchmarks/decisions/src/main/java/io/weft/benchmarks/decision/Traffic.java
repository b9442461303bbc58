package io.weft.benchmarks.decision;

import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Exchange;
import java.util.stream.IntStream;

/** A data plane with a {@link LargeMesh} in force, and requests to the mesh's hosts, in random order, over and over. For one thread. */
final class Traffic {
    private final DataPlane dataPlane = Parts.dataPlane();
    private final String[] authorities;
    private final String[] users = IntStream.range(0, 997).mapToObj("user-%d"::formatted).toArray(String[]::new);
    private int next;
    private int nextUser;

    Traffic(LargeMesh mesh) {
        dataPlane.apply(mesh.snapshot());
        authorities = mesh.authoritiesInRandomOrder();
    }

    Request request() {
        next = next + 1 == authorities.length ? 0 : next + 1;
        nextUser = nextUser + 1 == users.length ? 0 : nextUser + 1;
        return new Request(authorities[next], users[nextUser]);
    }

    void claim(Exchange exchange) {
        if (!dataPlane.claims(exchange)) {
            throw new IllegalStateException("no policy names " + exchange.authority());
        }
    }

    /** Decides about the next attempt, which must not be refused. */
    static void dial(Exchange exchange) {
        if (exchange.next() != Exchange.Step.DIAL) {
            throw new IllegalStateException("the policy does not send " + exchange.authority() + " to an endpoint");
        }
    }
}
