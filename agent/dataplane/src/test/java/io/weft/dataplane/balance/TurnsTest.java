package io.weft.dataplane.balance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private final AtomicInteger position = new AtomicInteger(6);

    @Test
    void theOnlyOneIsTakenWithoutAWordToOtherThreads() {
        Turns turns = new Turns(new double[] {3}, position);

        assertThat(new int[] {turns.next(), turns.next()}).containsExactly(0, 0);
        assertThat(position).hasValue(6);
    }

    @Test
    void severalAreTakenInTurn() {
        Turns turns = new Turns(new double[] {1, 1, 1}, position);

        assertThat(new int[] {turns.next(), turns.next(), turns.next(), turns.next()}).containsExactly(0, 1, 2, 0);
    }
}
