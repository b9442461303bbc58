package io.weft.it.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.Jdks;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A short selection of {@code integration-tests/bin/chaos}. */
class ChaosIT {
    private static final Duration LASTING = Duration.ofSeconds(1);

    @ParameterizedTest
    @ValueSource(strings = {"endpoint-frozen", "endpoint-half-closing", "endpoint-flapping"})
    void promisesAreKept(String name) throws Exception {
        Fault fault = Faults.named(name);
        Count count = fault.run(Shop.Mesh.AGENTS, Jdks.newest(), LASTING);
        assertThat(fault.promise().brokenBy(count)).as(count::toString).isEmpty();
    }
}
