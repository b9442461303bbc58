package io.weft.controlplane.injector;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RequestDeadlineTest {

    private final RequestDeadline deadline = new RequestDeadline(Duration.ofSeconds(10));
    private final EmbeddedChannel connection = new EmbeddedChannel(deadline);

    @BeforeEach
    void ownTime() {
        connection.freezeTime();
    }

    private void pass(int seconds) {
        connection.advanceTimeBy(seconds, TimeUnit.SECONDS);
        connection.runScheduledPendingTasks();
    }

    @Test
    void aRequestThatComesByteForByteIsCutOff() {
        connection.writeInbound("P");
        pass(6);
        connection.writeInbound("O");
        pass(3);
        assertThat(connection.isOpen()).isTrue();
        pass(1);
        assertThat(connection.isOpen()).isFalse();
    }

    @Test
    void betweenRequestsAConnectionMayWait() {
        pass(60);
        connection.writeInbound("first");
        pass(6);
        deadline.met();
        pass(60);
        connection.writeInbound("second");
        pass(6);
        assertThat(connection.isOpen()).isTrue();
        pass(4);
        assertThat(connection.isOpen()).isFalse();
    }
}
