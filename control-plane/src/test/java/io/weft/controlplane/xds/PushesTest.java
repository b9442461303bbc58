package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.controlplane.xds.Pushes.Sent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PushesTest {

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final Pushes pushes = new Pushes(100, scheduler);
    private final List<Sent> sent = Collections.synchronizedList(new ArrayList<>());
    private final Runnable first = () -> sent.add(pushes.sent(60));
    private final Runnable second = () -> sent.add(pushes.sent(60));

    @AfterEach
    void stop() {
        scheduler.shutdownNow();
    }

    private void settle() throws Exception {
        scheduler.submit(() -> {}).get(5, TimeUnit.SECONDS);
    }

    @Test
    void thoseForWhomThereIsNoRoomComeWhenOthersHaveAnswered() throws Exception {
        assertThat(pushes.hasRoom(first)).isTrue();
        Sent some = pushes.sent(90);
        assertThat(pushes.hasRoom(first)).isTrue();
        Sent more = pushes.sent(90);
        assertThat(pushes.hasRoom(first)).isFalse();
        assertThat(pushes.hasRoom(first)).isFalse();
        assertThat(pushes.hasRoom(second)).isFalse();
        settle();
        assertThat(sent).isEmpty();
        pushes.answered(some);
        settle();
        assertThat(sent).as("the first one, once, and then there is no room").hasSize(1);
        pushes.answered(more);
        settle();
        assertThat(sent).hasSize(2);
        sent.forEach(pushes::answered);
        assertThat(pushes.hasRoom(first)).isTrue();
    }

    @Test
    void whoeverNeverAnswersKeepsNobodyWaitingForLong() throws Exception {
        Sent lost = pushes.sent(1_000);
        assertThat(pushes.hasRoom(first)).isFalse();
        await().atMost(Pushes.PATIENCE.plus(Duration.ofSeconds(5))).until(() -> sent.size() == 1);
        pushes.answered(lost);
        assertThat(pushes.hasRoom(second)).as("what has been given up is not counted twice").isTrue();
        assertThat(pushes.sent(39)).isNotNull();
        assertThat(pushes.hasRoom(second)).isTrue();
        assertThat(pushes.sent(1)).isNotNull();
        assertThat(pushes.hasRoom(second)).isFalse();
    }
}
