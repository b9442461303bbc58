package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.Policies.SnapshotBuilder;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** A data plane with simulated time and seeded randomness. */
final class Fixture {
    static final ResponseHeaders NO_HEADERS = name -> null;
    static final Faults NO_FAULTS = (where, fault) -> {
        throw new AssertionError(where, fault);
    };

    final SimulatedTime time = new SimulatedTime();
    final DataPlane dataPlane;

    Fixture() {
        this(NO_FAULTS, Self.UNKNOWN);
    }

    Fixture(Faults faults) {
        this(faults, Self.UNKNOWN);
    }

    Fixture(Self self) {
        this(NO_FAULTS, self);
    }

    private Fixture(Faults faults, Self self) {
        dataPlane = new DataPlane(Duration.ZERO, new Surroundings(time, time, new SeededRandomness(7), time, faults, self));
    }

    static Fixture with(SnapshotBuilder snapshot) {
        return with(Self.UNKNOWN, snapshot);
    }

    static Fixture with(Self self, SnapshotBuilder snapshot) {
        Fixture fixture = new Fixture(self);
        fixture.apply(snapshot);
        return fixture;
    }

    void apply(SnapshotBuilder snapshot) {
        dataPlane.apply(snapshot.build());
    }

    <E extends Exchange> E claimed(E exchange) {
        assertThat(dataPlane.claims(exchange)).isTrue();
        return exchange;
    }

    /** Claims and makes the first attempt, which must be to an endpoint. */
    <E extends Exchange> E dialled(E exchange) {
        assertThat(claimed(exchange).next()).isEqualTo(Step.DIAL);
        return exchange;
    }

    LocalReply reply(Exchange exchange) {
        assertThat(claimed(exchange).next()).isEqualTo(Step.REPLY);
        return exchange.reply();
    }

    static int port(Exchange exchange) {
        return exchange.endpoint().address().getPort();
    }

    /** Sends a request that gets this status, and says which port it went to. */
    int send(String authority, int status) {
        Request request = dialled(Request.get(authority, "/"));
        request.onResponse(status, NO_HEADERS);
        request.end();
        return port(request);
    }

    /** How many of {@code count} successful requests went to each port. */
    Map<Integer, Integer> spread(String authority, int count) {
        Map<Integer, Integer> spread = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            spread.merge(send(authority, 200), 1, Integer::sum);
        }
        return spread;
    }

    static ResponseHeaders headers(String name, String value) {
        Map<String, String> headers = new HashMap<>(Map.of(name, value));
        return headers::get;
    }
}
