package io.weft.dataplane.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DurationsTest {

    @Test
    void aBoundIsStillInItsBucket() {
        double[] bounds = Durations.bounds();
        for (int i = 0; i < bounds.length; i++) {
            long nanos = Math.round(bounds[i] * 1e6);
            assertThat(Durations.bucket(nanos)).as("%s ms", bounds[i]).isEqualTo(i);
            assertThat(Durations.bucket(nanos - 1)).isEqualTo(i);
            assertThat(Durations.bucket(nanos + 1)).isEqualTo(i + 1);
        }
    }

    @Test
    void whateverAClockSaysHasABucket() {
        assertThat(Durations.bucket(0)).isZero();
        assertThat(Durations.bucket(-1)).as("a clock that went back").isZero();
        assertThat(Durations.bucket(Long.MIN_VALUE)).isZero();
        assertThat(Durations.bucket(1)).isZero();
        assertThat(Durations.bucket(Long.MAX_VALUE)).isEqualTo(Durations.bounds().length);
    }

    @Test
    void onePlacedForManyCountsAsMany() {
        Durations durations = new Durations();
        durations.add(2_000_000, 16);
        assertThat(durations.snapshot().count()).isEqualTo(16);
        assertThat(durations.snapshot().sumNanos()).isEqualTo(32_000_000);
    }
}
