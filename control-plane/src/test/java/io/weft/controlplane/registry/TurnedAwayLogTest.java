package io.weft.controlplane.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TurnedAwayLogTest {
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final List<String> lines = new ArrayList<>();
    private final TurnedAwayLog log = new TurnedAwayLog(lines::add, nanos::get);

    @Test
    void eachReasonIsSaidOnceAMinute() {
        log.say("orders has no token");
        log.say("orders has no token");
        log.say("stock has no token");
        assertThat(lines).containsExactly("orders has no token", "stock has no token");

        nanos.addAndGet(Duration.ofSeconds(60).toNanos());
        log.say("orders has no token");
        assertThat(lines).hasSize(3);
    }

    @Test
    void nobodyWritesALineOfHisOwn() {
        log.say("no token for x\n2026-01-01 INFO ControlPlane - all is well\r\u2028");
        assertThat(lines).containsExactly("no token for x?2026-01-01 INFO ControlPlane - all is well??");
    }

    @Test
    void nobodyFillsTheDisk() {
        for (int i = 0; i < 2 * TurnedAwayLog.MOST; i++) {
            log.say(i + "x".repeat(100_000));
        }
        assertThat(lines).hasSize(TurnedAwayLog.MOST).allMatch(line -> line.length() <= TurnedAwayLog.LONGEST + 1);
    }
}
