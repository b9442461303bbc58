package io.weft.policy.xds;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.parse.ResourceType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NackPacerTest {
    private final List<Long> pauses = new ArrayList<>();
    /** Never runs what waits in it. */
    private final ScheduledThreadPoolExecutor loop = new ScheduledThreadPoolExecutor(1) {
        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
            pauses.add(unit.toMillis(delay));
            return super.schedule(task, 1, TimeUnit.DAYS);
        }
    };
    private final NackPacer pacer = new NackPacer(loop);
    private final List<String> sent = new ArrayList<>();

    @AfterEach
    void stop() {
        loop.shutdownNow();
    }

    private void refuse(ResourceType type, int content, String answer) {
        pacer.supersede(type);
        pacer.nack(type, content, () -> sent.add(answer));
    }

    @Test
    void whatComesBackIsAnsweredEverLater() {
        for (int i = 0; i < 8; i++) {
            refuse(ResourceType.CLUSTER, 1, "refused");
        }
        assertThat(sent).containsExactly("refused");
        assertThat(pauses).containsExactly(500L, 1_000L, 2_000L, 4_000L, 8_000L, 8_000L, 8_000L);
    }

    @Test
    void whatIsRefusedForTheFirstTimeIsAnsweredAtOnce() {
        refuse(ResourceType.CLUSTER, 1, "1");
        refuse(ResourceType.CLUSTER, 1, "1 again");
        refuse(ResourceType.CLUSTER, 2, "2");
        refuse(ResourceType.CLUSTER, 3, "3");
        refuse(ResourceType.LISTENER, 3, "other type");
        assertThat(sent).containsExactly("1", "2", "3", "other type");
        assertThat(pauses).containsExactly(500L);
    }

    @Test
    void afterSomethingGoodItBeginsAnew() {
        refuse(ResourceType.CLUSTER, 1, "1");
        refuse(ResourceType.CLUSTER, 1, "1 again");
        pacer.supersede(ResourceType.CLUSTER);
        pacer.acknowledged(ResourceType.CLUSTER);
        refuse(ResourceType.CLUSTER, 1, "1 once more");
        assertThat(sent).containsExactly("1", "1 once more");
    }

    @Test
    void noRequestOvertakesAnAnswer() {
        refuse(ResourceType.CLUSTER, 1, "1");
        refuse(ResourceType.CLUSTER, 1, "1 again");
        pacer.hurry(ResourceType.CLUSTER);
        pacer.hurry(ResourceType.CLUSTER);
        assertThat(sent).containsExactly("1", "1 again");
    }
}
