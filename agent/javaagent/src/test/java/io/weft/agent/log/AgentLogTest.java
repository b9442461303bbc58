package io.weft.agent.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What is said once. */
class AgentLogTest {
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final AgentLog log = AgentLog.to(AgentLog.Level.WARN, logged);

    @Test
    void aThingIsSaidOnceUntilSoMuchElseIsThatItIsNotKeptAnyLonger() {
        for (int i = 0; i < 2_500; i++) {
            log.warnOnce("usual", "the usual");
            log.warnOnce("address " + i, "another");
        }
        assertThat(logged.toString(StandardCharsets.UTF_8).lines().filter(line -> line.endsWith("the usual"))).hasSize(3);
    }
}
