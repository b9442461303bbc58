package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Connections that a pool keeps while what they were secured by is replaced, or expires. */
class ClientConnectionsTest {
    private final SimulatedTime time = new SimulatedTime();
    private final ClientConnections connections =
            new ClientConnections(time, time.instant().plus(Duration.ofHours(1)).toEpochMilli());
    private final List<String> closed = new ArrayList<>();
    private final List<ClientConnection> pool = new ArrayList<>();

    private ClientConnection opened(String name) {
        ClientConnection connection = connections.opened(() -> closed.add(name));
        pool.add(connection);
        return connection;
    }

    private ClientConnection idle(String name) {
        ClientConnection connection = opened(name);
        assertThat(connection.giveBack()).isTrue();
        return connection;
    }

    @Test
    void oneRequestFollowsTheOther() {
        ClientConnection connection = opened("a");
        for (int i = 0; i < 3; i++) {
            assertThat(connection.giveBack()).isTrue();
            assertThat(connection.lease()).isTrue();
        }
        assertThat(closed).isEmpty();
    }

    @Test
    void whatWaitsIsClosedAtOnceAndWhatIsBusyAfterItsResponse() {
        ClientConnection waiting = idle("waiting");
        ClientConnection busy = opened("busy");

        connections.retire();
        assertThat(closed).containsExactly("waiting");
        assertThat(waiting.lease()).as("another request on what is closed").isFalse();

        assertThat(busy.giveBack()).as("to the pool").isFalse();
        assertThat(busy.lease()).isFalse();
        assertThat(closed).as("closed by its pool").containsExactly("waiting");
    }

    @Test
    void whatWasBeingOpenedMeanwhileHasOneRequest() {
        connections.retire();
        assertThat(opened("late").giveBack()).isFalse();
    }

    @Test
    void whatWasLeasedJustBeforeIsNotClosedUnderItsRequest() {
        ClientConnection connection = idle("a");
        assertThat(connection.lease()).isTrue();
        connections.retire();
        assertThat(closed).isEmpty();
        assertThat(connection.giveBack()).isFalse();
    }

    @Test
    void withAnExpiredCertificateThereIsNoFurtherRequest() {
        ClientConnection waiting = idle("waiting");
        ClientConnection busy = opened("busy");
        time.advance(Duration.ofMinutes(59));
        assertThat(waiting.lease()).isTrue();
        assertThat(waiting.giveBack()).isTrue();

        time.advance(Duration.ofMinutes(1));
        assertThat(waiting.lease()).isFalse();
        assertThat(busy.giveBack()).isFalse();
    }
}
