package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TurnTest {
    private final Turn turn = new Turn();

    @Test
    void whoComesMeanwhileWaits() throws Exception {
        assertThat(turn.begin()).isTrue();
        CompletableFuture<Boolean> other = CompletableFuture.supplyAsync(turn::begin);
        assertThat(other).isNotDone();

        turn.end();

        assertThat(other.get(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void afterTheLastOneNobodySpeaks() {
        assertThat(turn.isOver()).isFalse();
        assertThat(turn.last()).isTrue();

        assertThat(turn.isOver()).isTrue();
        assertThat(turn.begin()).isFalse();
        assertThat(turn.last()).as("said once").isFalse();
    }

    @Test
    void whoWaitsIsToldThatItIsOver() throws Exception {
        assertThat(turn.begin()).isTrue();
        CompletableFuture<Boolean> last = CompletableFuture.supplyAsync(turn::last);
        CompletableFuture<Boolean> another = CompletableFuture.supplyAsync(turn::last);

        turn.end();

        assertThat(last.get(30, TimeUnit.SECONDS)).isNotEqualTo(another.get(30, TimeUnit.SECONDS));
    }
}
